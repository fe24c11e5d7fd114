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
from infojax.sweeps.syntax import canonical

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
