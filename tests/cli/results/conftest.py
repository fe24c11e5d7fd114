import sys

import pytest

from infojax.cli import main
from infojax.sweeps import load_experiment
from tests.cli.results.lines import COUNTER, LINE


@pytest.fixture
def line(tmp_path, monkeypatch):
    """The module `line` of a fresh package in the working directory."""
    name = f"lines_{next(COUNTER)}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / name / "line.py").write_text(LINE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = load_experiment("line", name)
    yield module
    for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == name]:
        del sys.modules[loaded]


@pytest.fixture
def results(line, capsys):
    """results(command…) → (exit code, stdout, stderr)."""

    def call(*args):
        package = [] if args[0] in ("show", "verify") else ["--package", line.__package__]
        with pytest.raises(SystemExit) as left:
            main(["results", *args, *package])
        captured = capsys.readouterr()
        return left.value.code, captured.out, captured.err

    return call
