"""Nothing from outside reaches a terminal as a command."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group
from rich.panel import Panel
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from infojax.files._terminal import Console, shown, shown_json

EVIL = "a\x1b]0;owned\x07\x9b2J\r\x08\x7f\u202eb\udcff"
COMMANDS = "\x1b\x07\x9b\r\x08\x7f\u202e\udcff"


def terminal(**options):
    return Console(file=io.StringIO(), force_terminal=True, width=200, **options)


@given(st.text(st.characters(codec=None)))
def test_printable_text_is_as_it_was_and_the_rest_can_be_printed(text):
    seen = shown(text)
    seen.encode()
    assert shown(seen) == seen
    assert not set(COMMANDS) & set(seen)
    assert json.loads(shown_json(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("text", ["naïve\n\tλ = 1e-3", "日本語", "👩‍🔬", "שלום"])
def test_other_languages_are_left_alone(text):
    assert shown(text) == text


def table(*cells):
    made = Table("head" + EVIL, title=EVIL, caption=EVIL)
    for cell in (EVIL, *cells):
        made.add_row(cell)
    return made


@pytest.mark.parametrize(
    "what", [EVIL, Text(EVIL), table(Text(EVIL)), Panel(EVIL, title=EVIL), Group(EVIL, Text(EVIL))]
)
def test_nothing_printed_is_a_command(what):
    console = terminal(no_color=True)
    console.print(what, highlight=False)
    written = console.file.getvalue()
    assert r"\x1b]0;owned" in written
    assert r"\x9b2J" in written
    # what is left are the styles of rich
    assert not set(COMMANDS) - {"\x1b"} & set(written)
    assert "\x1b]" not in written
    assert "\x1b[2J" not in written


def test_styles_and_progress_work_as_ever():
    console = terminal()
    console.print("[red]red[/red]")
    assert "\x1b[31mred" in console.file.getvalue()
    with Progress(console=console, transient=True) as progress:
        progress.add_task("load " + EVIL.replace("[", ""), total=2)
    written = console.file.getvalue()
    assert "owned" in written
    assert "\x1b]0;owned" not in written
    assert "\x1b[2K" in written  # a bar that vanishes


def test_columns_stay_in_line():
    console = Console(file=io.StringIO(), width=200)
    console.print(table())
    rows = [line for line in console.file.getvalue().splitlines() if line.startswith(("│", "┃", "├", "└"))]
    assert len({len(line) for line in rows}) == 1
