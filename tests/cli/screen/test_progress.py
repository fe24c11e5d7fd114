"""What is said where stderr is no terminal: lines, without control characters, and nothing of what is quick."""

import re
import sys
import time

import pytest

from infojax.cli import main
from infojax.cli.screen import progress
from infojax.cli.screen.progress import lines, progress_on_terminal


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.02)


def waited(capsys, wanted, seconds=10.0):
    """What was said, once that matches."""
    said, start = "", time.monotonic()
    while not re.search(wanted, said) and time.monotonic() - start < seconds:
        time.sleep(0.02)
        said += capsys.readouterr().err
    return said


def test_a_task_says_how_far_how_fast_and_how_long(often, capsys):
    with progress_on_terminal() as shown:
        task = shown.add_task("retraining", total=1000, completed=400)
        waited(capsys, "retraining: 400 of 1,000")
        shown.advance(task, 100)
        said = waited(capsys, "left")
    assert re.search(r"retraining: 500 of 1,000, \S+ per (second|minute|hour), .* left \(\d+ s so far\)\n", said)
    assert not re.search(r"[^\n -~]", said), "control characters"


def test_tasks_within_tasks_and_those_of_unknown_length(often, capsys):
    with progress_on_terminal("curve") as shown:
        assert "curve (" in waited(capsys, "curve")
        shown.add_task("figures", total=3)
        inner = shown.add_task("eigendecomposition", total=None, about=90)
        said = waited(capsys, "eigen")
        assert re.search(r"figures: 0 of 3; eigendecomposition, takes about 1 min 30 s, \d+ s are over", said)
        shown.remove_task(inner)
        assert "figures: 0 of 3 (" in waited(capsys, r"of 3 \(")


def test_what_is_quick_says_nothing(capsys):
    with progress_on_terminal() as shown:
        shown.add_task("quick", total=3)
    assert capsys.readouterr() == ("", "")


def test_lines_end_with_the_work_even_where_it_fails(often, capsys):
    def fail():
        with progress_on_terminal() as shown:
            shown.add_task("failing", total=1)
            waited(capsys, "failing")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    capsys.readouterr()
    time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_lines_become_rarer(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY", 0.01)
    monkeypatch.setattr(progress, "SHARE", 1e6)
    monkeypatch.setattr(progress, "SELDOM", 0.3)
    with lines(lambda: "still here"):
        time.sleep(1.0)
    assert 1 <= capsys.readouterr().err.count("still here") <= 4


def test_score_says_where_it_is(often, capsys, tmp_path):
    with pytest.raises(SystemExit) as left:
        main(["score", "digits", "--train", "40", "--validation", "20", "--hidden", "8", "--out", f"{tmp_path}/out"])
    said = capsys.readouterr().err
    assert left.value.code == 0
    assert "leave-one-out" in said
    assert all(line.endswith("so far)") for line in said.splitlines())
    assert "\x1b" not in said
    assert "\r" not in said
    assert sys.stderr is not None
