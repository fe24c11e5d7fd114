"""Which code a result came from: a digest of an experiment's source and of every source that it imports.

A result must not be taken for current after the law or the kernel under it was corrected, and hours of
computing must not be thrown away for a comment. So the digest covers the experiment's module and, followed
through the import statements, the modules of infojax and of the experiment's own package that it reaches;
comments, docstrings and layout don't count. Modules imported by a name put together at run time are not seen.
Versions of other libraries are recorded with a result but don't invalidate it.
"""

import ast
import hashlib
import importlib.util
import sys
from pathlib import Path

from infojax.errors import InvalidInput


def code_version(module: str) -> str:
    """Twelve hexadecimal digits that change when the code behind an experiment's numbers does.

    `module` is the dotted name of an imported module. Raises InvalidInput for one that has no source file
    (a notebook, the interactive prompt).
    """
    roots = {"infojax": _root("infojax"), module.partition(".")[0]: _root(module)}
    sources: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _source(name, roots)
        if path is None or name in sources:
            continue
        tree = ast.parse(path.read_bytes())
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        sources[name] = ast.unparse(_without_docstrings(tree))
        waiting += _imported(tree, package, roots)
    if module not in sources:
        raise InvalidInput(f"{module!r} is no file of a package; run it by name, `python -m experiments NAME`")
    listing = "\n".join(f"# {name}\n{sources[name]}" for name in sorted(sources))
    return hashlib.sha256(listing.encode()).hexdigest()[:12]


def _root(module: str) -> Path:
    """The folder that the top package of `module` stands in."""
    if module in sys.modules:
        file = getattr(sys.modules[module], "__file__", None)
    else:
        spec = importlib.util.find_spec(module)
        file = spec.origin if spec else None
    if file is None or not Path(file).is_file():
        raise InvalidInput(
            f"the module {module!r} has no source file, so its results could not be told from those of other "
            "code; put the experiment into experiments/NAME.py"
        )
    path = Path(file).resolve()
    return path.parents[module.count(".") + (path.name == "__init__.py")]


def _source(name: str, roots: dict[str, Path]) -> Path | None:
    """The source file of a module under `roots`; None for other libraries and what is no module."""
    parts = name.split(".")
    if parts[0] not in roots:
        return None
    stem = roots[parts[0]].joinpath(*parts)
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)


def _imported(tree: ast.Module, package: str, roots: dict[str, Path]) -> list[str]:
    """Every module that an import statement anywhere in `tree` may load."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] + "." if node.level else ""
            base = (above + (node.module or "")).rstrip(".")
            submodules = [f"{base}.{alias.name}" for alias in node.names]
            # `from infojax import data` loads infojax/data, and not all that infojax/__init__.py offers.
            whole = base != "infojax" or any(_source(name, roots) is None for name in submodules)
            names += submodules + [base] * whole
    if "infojax" in names:  # `import infojax as ij` may reach anything
        names += _all_modules(roots["infojax"])
    return names


def _all_modules(root: Path) -> list[str]:
    files = (root / "infojax").rglob("*.py")
    return [".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for file in files]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = body[1:] or [ast.Pass()]
    return tree
