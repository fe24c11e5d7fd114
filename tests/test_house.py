"""How the house is built: what files may import of each other, how long they are, and how they are called."""

import ast
import importlib.util
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES = 300
SIBLINGS = 15
# Share of the parameters of functions that may be typed Any, in the package and around it.
ANY = 0.11
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "tools", "lib", "core", "base"}
# Names that say the same in any room; one file of the package may have each.
ONCE = {"simulation", "samples", "samplers", "sampling", "learned", "learner", "practice", "kernels", "mixture"}
OFTEN = 3
# What still has to be made so.
NOT_YET_EXPORTED = {"_empirical"}


def _architecture() -> ModuleType:
    spec = importlib.util.spec_from_file_location("architecture", ROOT / "docs" / "architecture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["architecture"] = module
    spec.loader.exec_module(module)
    return module


house = _architecture()
PACKAGE = house.files("infojax")
AROUND = house.files(*house.AROUND)


def test_every_folder_of_the_package_is_a_room_with_a_place_in_the_order():
    rooms = {path.name for path in (ROOT / "infojax").iterdir() if (path / "__init__.py").exists()}

    assert rooms <= set(house.ROOMS)


def test_rooms_import_from_each_other_only_what_they_export():
    deep = [
        f"{entry.place} imports {entry.module}"
        for file in [*PACKAGE, *AROUND]
        for entry in house.imports(file)
        if _goes_past_a_room(entry, house.room_of(house.module_of(file)))
    ]

    assert not deep


def test_programs_within_tests_import_what_rooms_export():
    deep = [
        f"{entry.place} imports {entry.module}"
        for file in house.files("tests")
        for text in _texts(file)
        for entry in house.imports_of_text(textwrap.dedent(text), file)
        if _goes_past_a_room(entry, file.relative_to(ROOT / "tests").parts[0])
    ]

    assert not deep


def test_what_rooms_import_from_each_other_is_exported():
    missing = [
        f"{entry.place} imports {entry.name} from {entry.module}"
        for file in [*PACKAGE, *AROUND]
        for entry in house.imports(file)
        if entry.module.startswith("infojax.") and entry.module.count(".") == 1 and entry.name is not None
        if house.room_of(entry.module) != house.room_of(house.module_of(file)) and entry.module != "infojax.errors"
        if entry.name not in {*house.exports(entry.module), *NOT_YET_EXPORTED}
    ]

    assert not missing


def test_a_room_imports_only_from_rooms_before_its_own():
    order = house.ROOMS
    climbing = {
        room: later
        for room, targets in house.arrows().items()
        if (later := sorted(target for target in targets if order.index(target) > order.index(room)))
    }

    assert not climbing


def test_no_files_import_each_other_in_a_circle():
    modules = {house.module_of(file): file for file in PACKAGE}
    graph = {
        module: {entry.target for entry in house.imports(file) if entry.target in modules} - {module}
        for module, file in modules.items()
    }

    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("number", range(2))
def test_the_test_of_circles_finds_them(number: int):
    """What stands within a function counts, and so does what goes through a room's exports."""
    file = ROOT / "infojax" / "plots" / "none.py"
    text = ("def f():\n    from infojax.plots import save", "from infojax.plots import save")[number]
    (entry,) = house.imports_of_text(text, file)

    assert entry.target.startswith("infojax.plots._")
    assert entry.local == (number == 0)


def test_the_test_of_rooms_finds_what_goes_past_them():
    private = house.Import(Path("a.py"), 1, "infojax.plots._page", "html", local=False)
    public = house.Import(Path("a.py"), 1, "infojax.plots", "save", local=False)

    assert _goes_past_a_room(private, "files")
    assert not _goes_past_a_room(private, "plots")
    assert not _goes_past_a_room(public, "files")


def test_no_file_is_longer_than_three_hundred_lines():
    long = {str(file.relative_to(ROOT)): n for file in PACKAGE if (n := file.read_text().count("\n")) > LINES}

    assert not long


def test_no_folder_has_more_than_fifteen_siblings():
    folders = {path.parent for path in [*PACKAGE, *AROUND]}
    crowded = {str(folder.relative_to(ROOT)): n for folder in folders if (n := len(_siblings(folder))) > SIBLINGS}

    # The package's own folder holds the rooms of the plan.
    crowded.pop("infojax", None)
    assert not crowded


def test_names_of_files_say_what_is_in_them():
    names = [path.stem.strip("_") for path in [*PACKAGE, *AROUND]]

    assert not VAGUE & set(names)


def test_names_of_files_do_not_collide():
    counts = Counter(path.stem.strip("_") for path in PACKAGE if not path.stem.startswith("__"))

    assert {name: n for name, n in counts.items() if n > (1 if name in ONCE else OFTEN)} == {}


def test_few_parameters_are_typed_any():
    annotations = [kind for file in [*PACKAGE, *AROUND] for kind in _annotations(ast.parse(file.read_text()))]

    assert sum(_is_any(kind) for kind in annotations) <= ANY * len(annotations)


def _goes_past_a_room(entry: object, own: str) -> bool:
    module = getattr(entry, "module", "")
    return module.startswith("infojax.") and module.count(".") > 1 and house.room_of(module) != own


def _texts(file: Path) -> Iterator[str]:
    """Strings of a file that may be programs."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import" in node.value:
            yield node.value


def _siblings(folder: Path) -> list[Path]:
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    return [*modules, *(path.parent for path in folder.glob("*/__init__.py"))]


def _annotations(tree: ast.AST) -> Iterator[ast.expr | None]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            held = node.args
            parameters = [*held.posonlyargs, *held.args, *held.kwonlyargs]
            extra = [parameter for parameter in (held.vararg, held.kwarg) if parameter is not None]
            yield from (p.annotation for p in [*parameters, *extra] if p.arg not in {"self", "cls"})


def _is_any(kind: ast.expr | None) -> bool:
    """Whether anything may be given: `Any`, or a union with it."""
    if isinstance(kind, ast.BinOp):
        return _is_any(kind.left) or _is_any(kind.right)
    return isinstance(kind, ast.Name) and kind.id == "Any"
