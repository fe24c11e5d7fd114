"""The page about the house says what the imports say, and names files that there are."""

import re
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "architecture.md").read_text()
ROOT = DOCS.parent


@pytest.fixture(scope="module")
def house():
    return runpy.run_path(str(DOCS / "architecture.py"), run_name="architecture")


def test_the_diagram_is_what_the_imports_say(house):
    assert house["with_diagram"](PAGE) == PAGE, "draw it anew: python docs/architecture.py"


def test_arrows_that_are_left_out_are_implied(house):
    drawn = {room: set() for room in house["ROOMS"]}
    for source, target in re.findall(r"(\w+) --> (\w+)", house["diagram"]()):
        drawn[target].add(source)

    def reached(room):
        return drawn[room].union(*(reached(near) for near in drawn[room]))

    for room, targets in house["arrows"]().items():
        assert targets <= reached(room)


def test_every_room_is_in_the_table(house):
    rooms = [room for room in house["ROOMS"] if (ROOT / "infojax" / room).is_dir() or room == "errors"]

    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == rooms


def test_files_that_it_names_are_there():
    named = set(re.findall(r"`([\w/]+/[\w.]*\w\.pyi?|[\w/]+/)`", PAGE))

    named = {name for name in named if "PAPER" not in name}
    assert len(named) > 25
    assert not {name for name in named if not any((ROOT / base / name).exists() for base in ("", "infojax"))}
