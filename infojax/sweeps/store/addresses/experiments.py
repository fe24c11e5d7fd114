"""Experiments and figures by name: PACKAGE/NAME.py or PACKAGE/PAPER/NAME.py, and those that come with infojax."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from infojax.errors import InvalidInput


def summaries(package: str) -> dict[str, str]:
    """Every module of a package, folders of papers included, and the first line of its docstring; none is imported.

    Modules whose names begin with an underscore don't count.
    """
    return {name: _first_line(file) for name, (_, file) in sorted(_modules(package).items())}


def module_named(name: str, package: str) -> str | None:
    """The dotted name of the module that an experiment or figure is; None where `package` has none of that name."""
    found = _modules(package).get(name)
    return found[0] if found else None


def hides(package: str) -> str:
    """What to say where a package of the user's has the name of one that comes with infojax, and is found before it;
    empty where it does not.
    """
    own = Path(__file__).parents[4] / package
    spec = importlib.util.find_spec(package)
    found = [Path(folder) for folder in spec.submodule_search_locations or ()] if spec else []
    if not (own / "__init__.py").is_file() or not found or any(folder.resolve() == own.resolve() for folder in found):
        return ""
    return (
        f"The package {package!r} is that of {found[0]}, which hides the one that comes with infojax ({own}); give it "
        "another name and --package, or run from another folder, to have that one"
    )


def _modules(package: str) -> dict[str, tuple[str, Path]]:
    """Name → dotted name and file. Those of the user's come before those that were installed with infojax."""
    if not isinstance(package, str):
        raise InvalidInput(f"package is {package!r:.100}; give the name of a package as text, such as 'experiments'")
    found: dict[str, tuple[str, Path]] = {}
    places = [(dotted, folders) for dotted in (f"infojax.{package}", package) if (folders := _folders(dotted))]
    if not places:
        raise InvalidInput(f"there is no package {package!r} here; run from the folder of a clone of infojax")
    for dotted, folders in places:
        own: dict[str, tuple[str, Path]] = {}
        for module, file in _below(dotted, folders):
            if file.stem in own:
                raise InvalidInput(
                    f"{own[file.stem][1]} and {file} have the same name, by which results are stored; rename one"
                )
            own[file.stem] = module, file
        found |= own
    return found


def _below(package: str, folders: list[Path]) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        for file in sorted(folder.glob("[!_]*.py")):
            yield f"{package}.{file.stem}", file
        for file in sorted(folder.glob("[!_.]*/[!_]*.py")):
            if (file.parent / "__init__.py").is_file():
                yield f"{package}.{file.parent.name}.{file.stem}", file


def _folders(package: str) -> list[Path]:
    # Other text is looked for relative to a package, or in parents that are not there, with errors of its own.
    named = all(part.isidentifier() for part in package.split("."))
    try:
        spec = importlib.util.find_spec(package) if named else None
    except (ImportError, ValueError):
        spec = None
    return [Path(folder) for folder in spec.submodule_search_locations or ()] if spec else []


def _first_line(file: Path) -> str:
    return (ast.get_docstring(ast.parse(file.read_bytes())) or "").partition("\n")[0]
