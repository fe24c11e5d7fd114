"""The runners of experiments and figures, on a small package of each in a temporary folder: the real code
path.
"""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from experiments.__main__ import _arguments
from experiments.__main__ import main as run_experiment
from infojax.sweeps import Store, load_experiment, load_module, run_stored, summaries
from paper_figures.__main__ import FIRST, SECONDS
from paper_figures.__main__ import main as draw_figures
from paper_figures._drawing import NEEDS

COUNTER = itertools.count()

EXPERIMENT = '''"""A line through the origin."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from infojax.errors import DataNotFound

@dataclass(frozen=True)
class Config:
    slope: float = 2.0
    """Rise over run."""
    points: int = 3
    seed: int = 0

PRESETS = {"quick": Config(), "paper": Config(points=-1)}

def run(config, scratch, progress):
    with open(scratch.parents[3] / "log.txt", "a") as log:
        log.write(f"{config.points} ")
    if config.points < 0:
        raise DataNotFound("the paper's data are not here; fetch them")
    if config.points == 99:
        (scratch / "half").touch()
        raise KeyboardInterrupt
    x = [float(i) for i in range(config.points)]
    return {"line": pl.DataFrame({"x": x, "y": [config.slope * a for a in x]})}
'''

FIGURE = '''"""The line, drawn."""

import matplotlib.pyplot as plt
import polars as pl

from infojax.plots import Finding

TITLE = "A line & its slope"
ANSWERS = "Fig. 1 of Euclid"
EXPERIMENT = "line"

def draw(tables, config):
    figure, axis = plt.subplots()
    axis.plot(tables["line"]["x"], tables["line"]["y"])
    return figure

def numbers(tables, config):
    return pl.DataFrame({"quantity": ["slope"], "ours": [config.slope], "paper": [2.0], "note": ["same"]})

def findings(tables, config):
    rise = tables["line"]["y"][-1] - tables["line"]["y"][0]
    return (Finding("The line rises.", rise > 0, f"by {rise}"),)

def remarks(config):
    return "Nothing differs."
'''


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Names of a package of experiments and one of figures; the working directory is their folder."""
    number = next(COUNTER)
    names = {f"runs_{number}": {"line": EXPERIMENT}, f"draws_{number}": {"line": FIGURE}}
    for name, files in names.items():
        (tmp_path / name).mkdir()
        for file, text in {"__init__": "", **files}.items():
            (tmp_path / name / f"{file}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "log.txt").touch()
    yield tuple(names)
    for module in [m for m in sys.modules if m.partition(".")[0] in names]:
        del sys.modules[module]


@pytest.fixture
def log(tmp_path):
    """Points of every run of the experiment so far."""
    return lambda: [int(points) for points in (tmp_path / "log.txt").read_text().split()]


def test_experiments_are_listed(packages, capsys):
    assert run_experiment([], packages[0]) == 0
    out = capsys.readouterr().out
    assert "line" in out
    assert "A line through the origin." in out


def test_an_experiment_runs_once_and_takes_overrides(packages, log, capsys):
    for _ in range(2):
        assert run_experiment(["line", "--slope", "3", "--points", "4"], packages[0]) == 0
        out = capsys.readouterr().out
        assert "line: 4 rows" in out
        assert "results/line/" in out
    assert log() == [4]
    assert run_experiment(["line", "--slope", "3", "--points", "4", "--again"], packages[0]) == 0
    assert run_experiment(["line", "--points", "4"], packages[0]) == 0
    assert log() == [4, 4, 4]


def test_overrides_stand_on_the_preset(packages, log):
    assert run_experiment(["line", "--preset=paper", "--slope", "1", "--points", "2"], packages[0]) == 0
    assert run_experiment(["line", "--slope", "1", "--preset", "paper"], packages[0]) == 2
    assert log() == [2, -1]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["line", "--help"], "Rise over run"),
        (["line", "--preset", "huge"], "huge"),
        (["line", "--slope", "steep"], "steep"),
        (["line", "--colour", "red"], "--colour"),
    ],
)
def test_the_command_line_explains_itself(packages, log, capsys, args, says):
    with pytest.raises(SystemExit) as left:
        run_experiment(args, packages[0])
    assert left.value.code == (0 if "--help" in args else 2)
    captured = capsys.readouterr()
    assert says in captured.out + captured.err
    assert log() == []


def test_errors_are_messages(packages, capsys):
    assert run_experiment(["circle"], packages[0]) == 2
    assert capsys.readouterr().err == f"error: there is no 'circle' in {packages[0]}; there are: line\n"
    assert run_experiment(["line", "--preset", "paper"], packages[0]) == 2
    assert capsys.readouterr().err == "error: the paper's data are not here; fetch them\n"


def test_ctrl_c_says_what_was_kept(packages, capsys):
    assert run_experiment(["line", "--points", "99"], packages[0]) == 130
    assert "partial work is kept (results/line/unfinished/" in capsys.readouterr().err


def test_figures_are_drawn_with_their_numbers(packages, log, tmp_path, capsys):
    runs, draws = packages
    assert draw_figures([], draws, runs) == 0
    figures = tmp_path / "figures"
    assert (figures / "line.pdf").read_bytes().startswith(b"%PDF")
    assert (figures / "line.png").read_bytes().startswith(b"\x89PNG")
    assert pl.read_csv(figures / "line.csv").to_dicts() == [
        {"quantity": "slope", "ours": 2.0, "paper": 2.0, "note": "same"}
    ]
    html = (figures / "index.html").read_text()
    for told in (
        "A line &amp; its slope",
        "Fig. 1 of Euclid",
        "Nothing differs.",
        "<li>The line rises. <span>by 4.0</span></li>",
        "slope: <code>2.0</code>",
        "data:image/png",
    ):
        assert told in html, told
    assert "1 of 1 figures" in capsys.readouterr().out
    assert draw_figures(["line"], draws, runs) == 0
    assert log() == [3]
    assert draw_figures(["line", "--again"], draws, runs) == 0
    assert log() == [3, 3]


def test_figures_share_an_experiment(packages, log, tmp_path):
    runs, draws = packages
    (tmp_path / draws / "same.py").write_text(FIGURE)
    assert draw_figures(["--again"], draws, runs) == 0
    assert log() == [3]
    assert (tmp_path / "figures" / "same.png").exists()


def add(tmp_path, packages, name, change):
    """An experiment and a figure of it beside `line`; `change` stands in the experiment's run."""
    runs, draws = packages
    text = EXPERIMENT.replace("    x = [", f"    {change}\n    x = [")
    (tmp_path / runs / f"{name}.py").write_text(text)
    (tmp_path / draws / f"{name}.py").write_text(FIGURE.replace('"line"\n', f'"{name}"\n'))


def test_processes_draw_side_by_side(packages, log, tmp_path, capfd):
    """One of four kills its process, one finds a bug, and the others are drawn."""
    runs, draws = packages
    add(tmp_path, packages, "kills", "import os; os.kill(os.getpid(), 9)")
    add(tmp_path, packages, "fails", "assert config.points == 4, 'three'")
    add(tmp_path, packages, "other", "print('a word')")
    assert draw_figures(["--processes", "2"], draws, runs) == 1
    html = (tmp_path / "figures" / "index.html").read_text()
    assert "2 of 4 figures, drawn" in html
    assert "Not drawn: the process died (signal 9)" in html
    assert "Not drawn: a bug, AssertionError: three" in html
    assert "AssertionError: three" in html.partition("<pre>")[2].partition("</pre>")[0]
    assert "refresh" not in html
    captured = capfd.readouterr()
    assert "2 of 4 figures" in captured.out
    assert "a word" not in captured.out
    assert "other drawn, " in captured.err
    assert "kills not drawn, " in captured.err
    assert "AssertionError: three" in captured.err
    assert "not drawn: fails, kills" in captured.err
    assert log() == [3, 3, 3, 3]
    assert draw_figures(["--processes", "2"], draws, runs) == 1
    assert log() == [3, 3, 3, 3, 3, 3]


DRAW = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
from paper_figures.__main__ import main
sys.exit(main(sys.argv[4:], sys.argv[2], sys.argv[3]))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_goes_on_from_what_is_stored(packages, log, tmp_path, how):
    runs, draws = packages
    wait = "while (scratch.parents[3] / 'wait').exists(): import time; time.sleep(0.02)"
    add(tmp_path, packages, "slow", wait)
    (tmp_path / "wait").touch()
    command = [sys.executable, "-c", DRAW, str(tmp_path), draws, runs, "--processes", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    page, deadline = tmp_path / "figures" / "index.html", time.monotonic() + 120
    while "1 of 2 figures" not in (page.read_text() if page.exists() else "") and time.monotonic() < deadline:
        time.sleep(0.05)
    html = page.read_text()
    assert '<meta http-equiv="refresh"' in html
    assert "1 more are being drawn" in html
    while len(log()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does
    else:
        process.send_signal(how)
    errors = process.communicate(timeout=60)[1]
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "1 of 2 figures are drawn; the same command goes on from there" in errors
        assert "Traceback" not in errors
        assert "refresh" not in page.read_text()
    (tmp_path / "wait").unlink()
    assert draw_figures(["--processes", "1"], draws, runs) == 0
    assert log() == [3, 3, 3]
    assert "2 of 2 figures" in page.read_text()


def test_a_figure_that_fails_does_not_stop_the_others(packages, tmp_path, capsys):
    runs, draws = packages
    (tmp_path / draws / "bug.py").write_text(FIGURE.replace("[config.slope]", "[config.slop]"))
    (tmp_path / draws / "empty.py").write_text('"""Nothing yet."""\n')
    assert draw_figures([], draws, runs) == 1
    html = (tmp_path / "figures" / "index.html").read_text()
    assert "1 of 3 figures" in html
    assert "AttributeError: &#x27;Config&#x27; object has no attribute" in html
    assert "it lacks TITLE, ANSWERS, EXPERIMENT, draw, numbers, findings, remarks" in html
    assert (tmp_path / "figures" / "line.png").exists()
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "not drawn: bug, empty" in err


def test_what_cannot_be_run_is_said_on_the_page(packages, tmp_path, capsys):
    runs, draws = packages
    assert draw_figures(["--scale", "paper"], draws, runs) == 1
    assert (
        "Not drawn: the paper&#x27;s data are not here; fetch them" in (tmp_path / "figures" / "index.html").read_text()
    )
    assert "line: the paper's data are not here" in capsys.readouterr().err


def test_figures_that_were_not_named_are_shown_from_the_store(packages, log, tmp_path):
    runs, draws = packages
    (tmp_path / runs / "other.py").write_text(EXPERIMENT.replace("points: int = 3", "points: int = 5"))
    (tmp_path / draws / "other.py").write_text(FIGURE.replace('"line"\n', '"other"\n'))
    assert draw_figures(["line"], draws, runs) == 0
    html = (tmp_path / "figures" / "index.html").read_text()
    assert f"python -m {draws} other --scale quick" in html
    assert 'class="failed"' not in html
    assert draw_figures(["other"], draws, runs) == 0
    assert (tmp_path / "figures" / "index.html").read_text().count("<figure") == 2
    assert log() == [3, 5]


def test_figures_are_listed_without_drawing(packages, log, tmp_path, capsys):
    runs, draws = packages
    assert draw_figures(["--list"], draws, runs) == 0
    out = capsys.readouterr().out
    for told in ("line", "A line & its slope", "Fig. 1 of Euclid"):
        assert told in out, told
    assert log() == []
    assert not (tmp_path / "figures").exists()


def test_values_in_place_of_the_presets(packages, log, tmp_path, capsys):
    runs, draws = packages
    assert draw_figures(["line", "--set", "slope=3", "points=4"], draws, runs) == 0
    assert pl.read_csv(tmp_path / "figures" / "line.csv")["ours"].to_list() == [3.0]
    assert "slope: <code>3.0</code>" in (tmp_path / "figures" / "index.html").read_text()
    assert log() == [4]
    assert draw_figures(["line"], draws, runs) == 0
    assert pl.read_csv(tmp_path / "figures" / "line.csv")["ours"].to_list() == [2.0]
    capsys.readouterr()
    for wrong, says in [
        (["--set", "slope=3"], "none is"),
        (["line", "--set", "slope"], "FIELD=VALUE"),
        (["line", "--set", "slop=3"], "did you mean 'slope'?"),
        (["line", "--set", "points=half"], "expected int"),
    ]:
        assert draw_figures(wrong, draws, runs) == 2
        assert says in capsys.readouterr().err
    assert log() == [4, 3]


def test_figures_of_most_interest_are_first():
    assert set(FIRST) <= set(summaries("paper_figures"))
    assert len(set(FIRST)) == len(FIRST)


def test_the_times_of_all_experiments_that_are_drawn_are_known():
    assert set(SECONDS) == {load_module("paper_figures", name, NEEDS).EXPERIMENT for name in summaries("paper_figures")}


def test_results_of_earlier_code_are_drawn_when_told(packages, log, tmp_path):
    runs, draws = packages
    draw_figures([], draws, runs)
    file = tmp_path / runs / "line.py"
    file.write_text(file.read_text().replace("config.slope * a", "config.slope * a + 1"))
    assert draw_figures(["--any-code"], draws, runs) == 0
    assert log() == [3]
    assert draw_figures([], draws, runs) == 0
    assert log() == [3, 3]


def test_bad_requests_are_refused_before_anything_runs(packages, log, tmp_path, capsys):
    runs, draws = packages
    assert draw_figures(["lime"], draws, runs) == 2
    assert capsys.readouterr().err == "error: there is no figure 'lime'; did you mean 'line'? there are: line\n"
    (tmp_path / "file").touch()
    assert draw_figures(["--out", "file/figures"], draws, runs) == 2
    assert "--out file/figures cannot be written to" in capsys.readouterr().err
    assert log() == []


def test_the_example_in_the_documentation_works(packages, tmp_path, capsys):
    runs, draws = packages
    text = (Path(__file__).parents[1] / "docs" / "experiments.md").read_text()
    for block in text.split("```python\n")[1:]:
        first, _, rest = block.partition("\n")
        if first.startswith("# "):
            room, _, file = first.removeprefix("# ").partition("/")
            (tmp_path / {"experiments": runs, "paper_figures": draws}[room] / file).write_text(rest.partition("```")[0])
    assert run_experiment(["coin"], runs) == 0
    assert "errors: 3 rows" in capsys.readouterr().out
    assert draw_figures(["coin"], draws, runs) == 0
    (row,) = pl.read_csv(tmp_path / "figures" / "coin.csv").to_dicts()
    assert row["ours"] == pytest.approx(row["paper"], rel=0.2)
    assert run_stored("coin", "quick", Store(Path("results")), package=runs).tables["errors"].height == 3


@pytest.mark.parametrize("name", summaries("experiments"))
def test_real_experiments_take_their_presets_from_the_command_line(name):
    presets = load_experiment(name).PRESETS
    assert set(presets) >= {"quick", "paper"}
    for preset, config in presets.items():
        assert _arguments("experiments", name, ["--preset", preset]).config == config


@pytest.mark.parametrize("name", summaries("paper_figures"))
def test_real_figures_draw_experiments_that_exist(name):
    module = load_module("paper_figures", name, NEEDS)
    assert module.EXPERIMENT in summaries("experiments")
