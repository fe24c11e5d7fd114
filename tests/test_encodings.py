"""Text is read and written as UTF-8, whatever the locale says: every call that opens text names its encoding."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [file for room in ("infojax", "experiments", "paper_figures") for file in sorted((ROOT / room).rglob("*.py"))]


def modes(call: ast.Call, at: int) -> str:
    """The mode of a call that opens, "r" where none is given, "?" where it is computed."""
    given = [word.value for word in call.keywords if word.arg == "mode"] + call.args[at : at + 1]
    return "r" if not given else str(given[0].value) if isinstance(given[0], ast.Constant) else "?"


def opens_text(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    owner = getattr(getattr(call.func, "value", None), "id", "")
    if name in ("read_text", "write_text"):
        return len(call.args) < (1 if name == "read_text" else 2)  # otherwise it stands there
    if name == "open" and owner in ("", "path", "file"):
        if isinstance(call.func, ast.Name) or owner:
            return "b" not in modes(call, 0 if owner else 1)
        return False
    if (owner, name) in (("os", "fdopen"), ("gzip", "open"), ("bz2", "open"), ("lzma", "open")):
        return "b" not in modes(call, 1) and (owner == "os" or "t" in modes(call, 1))
    texts = [word.value for word in call.keywords if word.arg in ("text", "universal_newlines")]
    return any(isinstance(value, ast.Constant) and value.value is True for value in texts)


def without_encoding(source: str) -> list[int]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and opens_text(node)]
    return [call.lineno for call in calls if not any(word.arg in ("encoding", None) for word in call.keywords)]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_call_that_opens_text_names_its_encoding(file):
    assert without_encoding(file.read_text(encoding="utf-8")) == []


def test_the_search_finds_what_it_is_for():
    wrong = ["p.read_text()", "open(p)", "open(p, 'w')", "path.open()", "os.fdopen(h, 'w')", "run(c, text=True)"]
    right = [
        "p.read_text(encoding='utf-8')",
        "p.read_text('utf-8')",
        "open(p, 'rb')",
        "path.open('xb')",
        "gzip.open(p)",
        "Image.open(p)",
    ]
    assert [bool(without_encoding(line)) for line in (*wrong, *right)] == [True] * 6 + [False] * 6


def test_score_in_a_locale_that_knows_ascii_alone(tmp_path):
    x = np.random.default_rng(0).random((24, 5))
    np.savez(tmp_path / "own.npz", x=x, y=np.arange(24) % 2, classes=np.array(["müde", "wach"]))
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "infojax", "score", "own.npz", "--train", "12", "--validation", "8"]
    done = subprocess.run([*command, "--hidden", "8"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert "müde" in (tmp_path / "scores" / "report.html").read_text(encoding="utf-8")
    assert set(pl.read_parquet(tmp_path / "scores" / "scores.parquet")["class"]) == {"müde", "wach"}
