"""What source code does, as text that is the same whichever Python has read it.

`ast.unparse` and `ast.dump` write the same code differently from one version of Python to the next: quotes within
f-strings, fields that have come since, empty lists that are left out. So the tree is written here, without what is
empty, what says nothing about what the code does (positions, contexts, docstrings), and with every string in ASCII.
"""

import ast
from collections.abc import Iterable
from typing import Any

_SILENT = ("ctx", "kind", "type_comment", "type_ignores")


def canonical(tree: ast.Module) -> str:
    """The tree as text. Trees that differ in comments, layout and docstrings alone have the same.

    >>> canonical(ast.parse("def f(): 'words'; return 1 # one")) == canonical(ast.parse("def f():\\n  return (1)"))
    True
    """
    parts: list[str] = []
    _write(tree, parts)
    return "".join(parts)


def _write(node: Any, parts: list[str]) -> None:
    if isinstance(node, ast.AST):
        parts.append(type(node).__name__)
        parts.append("(")
        for name, value in _fields(node):
            parts.append(f" {name}=")
            _write(value, parts)
        parts.append(")")
    elif isinstance(node, list):
        parts.append("[")
        for item in node:
            _write(item, parts)
            parts.append(",")
        parts.append("]")
    else:
        parts.append(_constant(node))


def _fields(node: ast.AST) -> Iterable[tuple[str, Any]]:
    """The fields of a node that say something."""
    for name in node._fields:
        value = getattr(node, name, None)
        if name == "body" and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            value = _without_docstring(value)
        elif name == "values" and isinstance(node, ast.JoinedStr):
            value = _joined(list(value or []))
        empty = (value is None or value == []) and not isinstance(node, ast.Constant)
        if name not in _SILENT and not empty:
            yield name, value


def _without_docstring(body: Any) -> Any:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return body[1:] or [ast.Pass()]
    return body


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string, text that stands side by side as one, and none that is empty."""
    joined: list[ast.expr] = []
    for value in values:
        last = joined[-1] if joined else None
        if isinstance(value, ast.Constant) and isinstance(last, ast.Constant):
            joined[-1] = ast.Constant(f"{last.value}{value.value}")
        else:
            joined.append(value)
    return [value for value in joined if not (isinstance(value, ast.Constant) and value.value == "")]


def _constant(value: Any) -> str:
    if type(value) is int:
        return hex(value)  # of any length
    if isinstance(value, str):
        return ascii(value)  # which characters can be printed depends on Python's tables
    return repr(value)
