"""Imports of the project, read from its files without running them.

`python docs/architecture.py` draws them anew into docs/architecture.md.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A room imports only from rooms before its own. `errors` is one file, and every room may use it.
ROOMS = (
    "errors",
    "arrays",
    "files",
    "data",
    "models",
    "kernels",
    "training",
    "linearized",
    "planning",
    "information",
    "rounds",
    "scaling",
    "generation",
    "sweeps",
    "plots",
    "cli",
)
AROUND = ("experiments", "paper_figures", "benchmarks")


@dataclass(frozen=True)
class Import:
    """One name that a file imports, in the words of the file: `from module import name`, or `import module`."""

    file: Path
    line: int
    module: str
    name: str | None
    local: bool
    """Whether it stands within a function."""

    @property
    def place(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"

    @property
    def target(self) -> str:
        """Module that the name comes from, followed through the rooms' exports."""
        return _origin(self.module, self.name)


def files(*folders: str) -> list[Path]:
    """Python files of these folders, in order."""
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def module_of(file: Path) -> str:
    """The name under which a file is imported."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """Room of a module of the package; `infojax` for the files that stand in no room."""
    parts = module.split(".")
    return parts[1] if parts[0] == "infojax" and len(parts) > 1 and parts[1] in ROOMS else parts[0]


def imports(file: Path) -> list[Import]:
    """Imports of one file of the project, those of types alone left out."""
    package = module_of(file) if file.name == "__init__.py" else module_of(file).rpartition(".")[0]
    return list(_imports_of(ast.parse(file.read_text()), file, package, local=False))


def imports_of_text(text: str, file: Path) -> list[Import]:
    """Imports of a program that stands within a file of tests, or nothing where the text is no program."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    return list(_imports_of(tree, file, "", local=False))


def _imports_of(node: ast.AST, file: Path, package: str, *, local: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(file, child.lineno, alias.name, None, local)
        elif isinstance(child, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - child.level + 1] if child.level else []
            module = ".".join([*above, *([child.module] if child.module else [])])
            for alias in child.names:
                yield Import(file, child.lineno, module, alias.name, local)
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports_of(child, file, package, local=local or function)


@cache
def _origin(module: str, name: str | None) -> str:
    if name is None:
        return module
    if _exists(f"{module}.{name}"):
        return f"{module}.{name}"
    source = exports(module).get(name)
    return _origin(*source) if source and source != (module, name) else module


@cache
def exports(module: str) -> dict[str, tuple[str, str]]:
    """What a room exports: for each name, the module that it is imported from there, and its name there."""
    folder = ROOT.joinpath(*module.split("."))
    stub = next((file for file in (folder / "__init__.pyi", folder / "__init__.py") if file.exists()), None)
    if stub is None:
        return {}
    found = _imports_of(ast.parse(stub.read_text()), stub, module, local=False)
    return {entry.name: (entry.module, entry.name) for entry in found if entry.name is not None}


def _exists(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def arrows() -> dict[str, set[str]]:
    """For each room, the rooms that its files import from."""
    found: dict[str, set[str]] = {room: set() for room in ROOMS if _exists(f"infojax.{room}")}
    for file in files("infojax"):
        room = room_of(module_of(file))
        if room in found:
            targets = {room_of(entry.target) for entry in imports(file)}
            found[room] |= {target for target in targets if target in found and target != room}
    return found


def diagram() -> str:
    """Rooms in Mermaid, with an arrow from each room to those that import from it; arrows that others imply are left
    out.
    """
    uses = arrows()
    above = {room: set(targets) for room, targets in uses.items()}
    for room in sorted(above, key=ROOMS.index):
        above[room] |= {far for near in uses[room] for far in above[near]}
    lines = ["```mermaid", "flowchart TD"]
    for room in sorted(uses, key=ROOMS.index):
        implied = {far for near in uses[room] for far in above[near]}
        lines += [f"    {target} --> {room}" for target in sorted(uses[room] - implied, key=ROOMS.index)]
    return "\n".join([*lines, "```"])


def with_diagram(page: str) -> str:
    """The page with the diagram of today in the place of its first one."""
    before, found, rest = page.partition("```mermaid")
    return before + diagram() + rest.partition("\n```")[2] if found else page


if __name__ == "__main__":
    PAGE = ROOT / "docs" / "architecture.md"
    PAGE.write_text(with_diagram(PAGE.read_text()))
