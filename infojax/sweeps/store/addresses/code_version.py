"""Which code a result came from: a digest of an experiment's source and of every source that it imports.

A result must not be taken for current after the law or the kernel under it was corrected, and hours of
computing must not be thrown away for a comment. So the digest covers the experiment's module and, followed
through the import statements, the modules of infojax and of the experiment's own package that it reaches;
comments, docstrings and layout don't count, nor which Python reads them (syntax.py). Modules imported by a name put
together at run time are not seen. Versions of other libraries, and of Python, are recorded with a result but don't
invalidate it.

Reading the sources takes a tenth of a second, so the digest is kept in this process until one of them changes.
"""

import ast
import hashlib
import importlib.util
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infojax.errors import InvalidInput
from infojax.sweeps.store.addresses.syntax import canonical

# Module → its sources as they were (file, time of change, bytes), and the digest of them.
_KNOWN: dict[str, tuple[list[tuple[Path, int, int]], str]] = {}
_PINNED: dict[str, str] = {}
_LOCK = threading.Lock()  # Python 3.11 parses in one thread at a time only (SystemError)
_RACY = 2e9  # nanoseconds within which a file may change twice and show the same time


def code_version(module: str) -> str:
    """Twelve hexadecimal digits that change when the code behind an experiment's numbers does.

    `module` is the dotted name of an imported module. Raises InvalidInput for one that has no source file
    (a notebook, the interactive prompt).
    """
    if module in _PINNED:
        return _PINNED[module]
    seen, version = _KNOWN.get(module, ([], ""))
    if seen and all(_stamp(path) == (path, changed, size) for path, changed, size in seen):
        return version
    now = time.time_ns()
    with _LOCK:
        files, version = _digest(module)
    stamps = [stamp for stamp in map(_stamp, files) if stamp is not None]
    if len(stamps) == len(files) and all(changed < now - _RACY for _, changed, _ in stamps):
        _KNOWN[module] = stamps, version
    return version


@contextmanager
def pinned(module: str) -> Iterator[None]:
    """Within this context the version of `module` stays what it is now.

    What runs is the code that was loaded. Were its file edited while it runs, the result would be filed under code
    that never made it.
    """
    if module in _PINNED:
        yield
        return
    _PINNED[module] = code_version(module)
    try:
        yield
    finally:
        _PINNED.pop(module, None)


def _stamp(path: Path) -> tuple[Path, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return path, found.st_mtime_ns, found.st_size


def _digest(module: str) -> tuple[list[Path], str]:
    """The files behind a module, and the digest of what they say."""
    roots = {"infojax": _root("infojax"), module.partition(".")[0]: _root(module)}
    sources: dict[str, str] = {}
    files: list[Path] = []
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _source(name, roots)
        if path is None or name in sources:
            continue
        files.append(path)
        tree = ast.parse(path.read_bytes())
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        sources[name] = canonical(tree)
        waiting += _imported(tree, package, roots)
    if module not in sources:
        raise InvalidInput(f"{module!r} is no file of a package; run it by name, `python -m experiments NAME`")
    listing = "\n".join(f"# {name}\n{sources[name]}" for name in sorted(sources))
    return files, hashlib.sha256(listing.encode()).hexdigest()[:12]


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
            for alias in node.names:
                names += [f"{base}.{alias.name}", *_offering(base, alias.name, roots)]
    # What is imported whole may be asked for anything that it offers.
    whole = [name for name in names if _stub(name, roots)]
    return names + [module for name in whole for offered in _offered(name, roots).values() for module in offered]


def _offering(package: str, name: str, roots: dict[str, Path]) -> list[str]:
    """The modules that `from package import name` loads: the package, or the one that it names in its stub."""
    if _stub(package, roots) is None:
        return [package]
    return _offered(package, roots).get(name, [])


def _offered(package: str, roots: dict[str, Path]) -> dict[str, list[str]]:
    """Each name that the stub of a room offers, and the modules behind it."""
    stub = _stub(package, roots)
    assert stub is not None
    offered: dict[str, list[str]] = {}
    for node in ast.parse(stub.read_bytes()).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = f"{package}.{node.module or alias.name}"
                behind = _stub(module, roots)
                if behind is None:
                    offered[alias.name] = [module]
                elif node.module:
                    offered[alias.name] = _offering(module, alias.name, roots)
                else:
                    offered[alias.name] = [one for several in _offered(module, roots).values() for one in several]
    return offered


def _stub(name: str, roots: dict[str, Path]) -> Path | None:
    """Where a package says which of its modules has what it offers; it loads them when they are asked for."""
    parts = name.split(".")
    if parts[0] not in roots:
        return None
    stub = roots[parts[0]].joinpath(*parts, "__init__.pyi")
    return stub if stub.is_file() else None
