import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import jax
import numpy as np
import polars as pl
import pytest
from PIL import Image

import infojax.information
from infojax.cli import main
from infojax.cli.score import score as module
from infojax.data import Dataset, load
from infojax.information._baselines import BASELINES
from infojax.linearized import Converged, GradientDescent, GradientFlow, linearize
from infojax.models import mlp

QUICK = ("--train", "40", "--validation", "20", "--hidden", "32")


@pytest.fixture
def score(tmp_path, monkeypatch, capsys):
    """score(*args) → (exit code, table, what was printed); writes to tmp_path/out."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*args):
        with pytest.raises(SystemExit) as left:
            main(["score", *args, "--out", str(tmp_path / "out")])
        table = tmp_path / "out" / "scores.parquet"
        captured = capsys.readouterr()
        return (
            left.value.code,
            pl.read_parquet(table) if table.exists() else None,
            captured.out + captured.err,
        )

    return call


@pytest.fixture
def flat(tmp_path):
    """The digits 0 and 1 in a file, as 64 numbers each: no pictures to be drawn."""
    digits = load("digits").only(0, 1)
    np.savez(tmp_path / "flat.npz", x=digits.x.reshape(-1, 64), y=digits.y)
    return str(tmp_path / "flat.npz")


def test_scores_are_those_of_the_python_function(score, tmp_path):
    code, table, out = score(
        "digits", "--classes", "4,9", *QUICK, "--steps", "300", "--learning-rate", "0.01", "--seed", "3"
    )
    assert code == 0
    train, validation = load("digits").only(4, 9).split(40, 20, seed=3)
    network = mlp((32,), 1)
    params = network.init(jax.random.key(3), train.x.shape[1:])
    training = GradientDescent(300, 0.01)
    want = infojax.information.unique_information(network, params, train, validation, training=training)
    np.testing.assert_allclose(table["si"], want.si, rtol=1e-9)
    np.testing.assert_allclose(table["f_si"], want.f_si, rtol=1e-9)
    assert table["label"].to_list() == train.y.tolist()
    assert table["class"].to_list() == [train.classes[y] for y in train.y]
    digits = load("digits")
    np.testing.assert_array_equal(digits.x[table["index"].to_numpy()], train.x)
    ranked = table.sort("rank")
    assert ranked["rank"].to_list() == list(range(1, 41))
    assert ranked["f_si"].is_sorted(descending=True)
    for file in ("histogram.png", "histogram.pdf", "most_informative.png", "least_informative.png"):
        assert (tmp_path / "out" / file).stat().st_size > 1000
        assert file in out
    assert str(ranked["index"][0]) in out


def test_residual_is_that_of_gradient_descent_on_the_linearised_network(score):
    _, table, _ = score("digits", "--classes", "4,9,7", *QUICK, "--steps", "50", "--learning-rate", "0.01")
    train, _ = load("digits").only(4, 9, 7).split(40, 20, seed=0)
    network = mlp((32,), 3)
    params = network.init(jax.random.key(0), train.x.shape[1:])
    flat, unflatten = jax.flatten_util.ravel_pytree(params)
    f0 = np.asarray(network.apply(params, train.x), np.float64).ravel()
    jacobian = np.asarray(jax.jacobian(lambda w: network.apply(unflatten(w), train.x).ravel())(flat), np.float64)
    moved = np.zeros(len(flat))
    for _ in range(50):
        moved -= 0.01 / 40 * jacobian.T @ (f0 + jacobian @ moved - train.targets.ravel())
    left = (train.targets.ravel() - f0 - jacobian @ moved).reshape(40, 3)
    np.testing.assert_allclose(table["residual"], np.linalg.norm(left, axis=1), rtol=1e-4)
    outputs = train.targets.reshape(40, 3) - left
    assert table["predicted"].to_list() == [train.classes[c] for c in outputs.argmax(axis=1)]
    assert table["predicted"].to_list() != table["class"].to_list()


@pytest.mark.parametrize(
    ("args", "training"),
    [
        (("--time", "30"), GradientFlow(30.0)),
        pytest.param(("--converged",), Converged(), marks=pytest.mark.slow),
        (
            ("--steps", "10", "--learning-rate", "0.01", "--convention", "sum", "--decay", "0.1"),
            GradientDescent(10, 0.01, 0.1, "sum"),
        ),
    ],
)
def test_ways_of_training(score, tmp_path, flat, args, training):
    code, table, out = score(flat, *QUICK, *args)
    assert code == 0
    assert f"Trained by {training}" in out
    assert table["si"].is_finite().all()
    assert json.loads((tmp_path / "out" / "record.json").read_text())["training"]["type"] == type(training).__name__


@pytest.mark.slow
@pytest.mark.parametrize("extra", [("--convention", "sum"), ("--decay", "5")])
def test_the_default_step_is_half_the_largest_stable_one(score, tmp_path, flat, extra):
    assert score(flat, *QUICK, *extra)[0] == 0
    rate = json.loads((tmp_path / "out" / "record.json").read_text())["training"]["learning_rate"]
    ask = lambda rate: score(flat, *QUICK, *extra, "--learning-rate", str(rate))  # noqa: E731
    assert ask(rate * 1.9)[0] == 0
    code, _, out = ask(rate * 2.1)
    assert code == 2
    assert out.startswith("error: ")
    assert "stable" in out or "diverge" in out


def test_sizes_without_being_told():
    data = load("digits")
    examples, others, _ = module._examples(data, None, None, None, 0)
    assert (len(examples), len(others)) == (200, 200)
    examples, others, index = module._examples(data, "4, 9", None, None, 0)
    assert (len(examples), len(others)) == (180, 180)
    assert len(set(index.tolist())) == 180
    assert set(data.y[index].tolist()) == {4, 9}


def test_own_regression_data_without_pictures(score, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5)).astype(np.float32)
    np.savez(tmp_path / "own.npz", x=x, y=x[:, :2] * 2.0)
    code, table, out = score(str(tmp_path / "own.npz"), "--hidden", "16")
    assert code == 0
    assert "no images" in out
    assert table["label"].null_count() == table["class"].null_count() == 30
    assert not (tmp_path / "out" / "most_informative.png").exists()
    assert not (tmp_path / "out" / "suspects.parquet").exists()
    Reader((tmp_path / "out" / "report.html").read_text())


def test_a_folder_of_images(score, tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("cats [x]", "dogs"):
        (tmp_path / "pets" / kind / "$home$").mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 256, (5, 6, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / kind / ("" if i < 4 else "$home$") / f"{i}.png")
    code, table, out = score(str(tmp_path / "pets"), "--hidden", "8", "--size", "4", "4", "--group-by", "folder")
    assert code == 0
    groups = pl.read_parquet(tmp_path / "out" / "groups.parquet")
    assert dict(groups["group", "examples"].iter_rows()) == dict(table["folder"].value_counts().iter_rows())
    assert all(file.startswith(f"{folder}/") for file, folder in table["file", "folder"].iter_rows())
    assert set(table["class"]) == {"cats [x]", "dogs"}
    assert "cats [x]" in out
    assert (tmp_path / "out" / "most_informative.png").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--converged", "--time", "3"), "exclude each other"),
        (("--steps", "5", "--time", "3"), "exclude each other"),
        (("--learning-rate", "0"), "GradientDescent.learning_rate is 0"),
        (("--steps", "0"), "GradientDescent.steps is 0"),
        (("--time", "-1"), "GradientFlow.time is -1"),
        (("--decay", "-1"), "--decay is -1"),
        (("--classes", "4,eleven"), "no class 'eleven'"),
        (("--train", "1"), "at least 2"),
        (("--train", "5000"), "digits has 1797"),
        (("--budget", "0"), "--budget is 0"),
        (("--train", "1000", "--budget", "0.5"), "need about"),
        (("--network", "cnn"), "28 × 28"),
        (("--hidden", "0"), "hidden=(0,)"),
        (("--baseline", "margin,lucky"), "--baseline 'lucky' is not known; known are residual, "),
        (("--suspects-by", "rank"), "--suspects-by 'rank' is not known; known are si, f-si, "),
        (("--suspects", "0"), "--suspects is 0; give 1 to 200"),
        (("--train", "40", "--suspects", "41"), "give 1 to 40"),
        (("--group-by", "source"), "no such column; its columns are class"),
        (("--classes", "4", "--group-by", "class"), "all 90 examples have '4' there"),
        (("--classes", "4,9", "--train", "180", "--group-by", "class", "--budget", "0.005"), "a group of "),
    ],
)
def test_bad_requests(score, args, says):
    code, table, out = score("digits", *args)
    assert code == 2
    assert table is None
    assert out.startswith("error: ")
    assert says in out
    assert "Traceback" not in out


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as left:
        main(["score", "digits", "--out", str(tmp_path / "file" / "out")])
    assert left.value.code == 2
    assert "is no folder that can be written to" in capsys.readouterr().err


def test_a_budget_counts_instead_of_what_is_free(score, monkeypatch):
    monkeypatch.setenv("INFOJAX_MEMORY", "1e-5")
    code, _, out = score("digits", *QUICK)
    assert code == 2
    assert "are free (INFOJAX_MEMORY)" in out
    assert score("digits", *QUICK, "--budget", "1")[0] == 0


def test_a_folder_that_is_a_file_or_takes_nothing(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("infojax.cli.screen.keeping.tempfile.TemporaryFile", full)
    for out in ("file", "folder"):
        with pytest.raises(SystemExit) as left:
            main(["score", "digits", "--out", str(tmp_path / out)])
        assert left.value.code == 2
        said = capsys.readouterr().err
        assert "is no folder that can be written to" in said
        assert "Traceback" not in said


def full(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("what", "lost"),
    [
        ("infojax.cli.score.files.write", "scores.parquet"),
        pytest.param("infojax.cli.score.files._record", "record.json", marks=pytest.mark.slow),
        pytest.param("infojax.cli.score.files._histogram", "histogram.png", marks=pytest.mark.slow),
        pytest.param("infojax.cli.score.files._pictures", "suspects.png", marks=pytest.mark.slow),
    ],
)
def test_nothing_computed_is_lost_when_a_file_cannot_be_written(score, tmp_path, monkeypatch, what, lost):
    if lost == "scores.parquet":
        from infojax.cli.score.files import write

        monkeypatch.setattr(what, lambda table, file: full() if file.parent == tmp_path / "out" else write(table, file))
    else:
        monkeypatch.setattr(what, full)
    code, table, out = score("digits", *QUICK, "--group-by", "class")
    assert code == 2
    assert f"not everything could be written to {tmp_path / 'out'}" in out
    assert f"{lost}: No space left on device" in out
    assert "Traceback" not in out
    assert "What each example is worth" in out
    there = {file.name for file in (tmp_path / "out").iterdir()}
    assert lost not in there
    assert "report.html" in there
    if lost == "scores.parquet":
        elsewhere = Path(re.search(r"found no place there are in (\S+)\.", out).group(1))
        table = pl.read_parquet(elsewhere / "scores.parquet")
        assert (elsewhere / "groups.parquet").exists()
        shutil.rmtree(elsewhere)
    assert table.height == 40
    assert "loo_margin" in table.columns


def test_nan_in_own_data(score, tmp_path):
    np.savez(tmp_path / "own.npz", x=np.full((8, 2), np.nan), y=np.arange(8) % 2)
    code, _, out = score(str(tmp_path / "own.npz"))
    assert code == 2
    assert "must be finite" in out


def test_positions_follow_the_examples():
    data = Dataset(x=np.arange(50.0)[:, None] ** 2, y=np.arange(50) % 3, classes=("a", "b", "c"), name="own")
    examples, _, index = module._examples(data, "c,a", 10, 5, 7)
    np.testing.assert_array_equal(examples.x[:, 0], index.astype(np.float32) ** 2)
    np.testing.assert_array_equal(examples.y, np.where(index % 3 == 2, 0, 1))


class Reader(HTMLParser):
    """Reads a page; every tag that opens also closes, in the right order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.text, self.sources, self.scripts = [], "", [], ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.sources += [value for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts += data
        else:
            self.text += data


EVIL = "<script>alert('x')</script> & $\\x$ [b]"


def test_report_of_own_data(score, tmp_path):
    digits = load("digits").only(4, 9, 7)
    noisy = np.arange(len(digits)) % 10 == 0
    y = np.where(noisy, (digits.y + 1) % 3, digits.y)
    names = np.array([EVIL, "nine", "seven"])
    source = np.where(digits.x[:, 0, 2, 0] > 0.5, EVIL, "home")
    own = tmp_path / "own.npz"
    np.savez(own, x=digits.x, y=y, classes=names, source=source, noisy=noisy, rank=np.arange(len(digits)))
    names = ("residual", "loo-residual", "leverage", "margin")
    how = ("--steps", "200", "--learning-rate", "0.02", "--group-by", "source")
    code, table, out = score(
        str(own),
        "--train",
        "60",
        "--validation",
        "30",
        "--hidden",
        "32",
        *how,
        "--baseline",
        ",".join(names),
        "--suspects",
        "4",
    )
    assert code == 0, out
    folder = tmp_path / "out"

    train, validation = load(own).split(60, 30, seed=0)
    network = mlp((32,), 3)
    params = network.init(jax.random.key(0), train.x.shape[1:])
    training = GradientDescent(200, 0.02)
    linearized = linearize(network, params, train, validation)
    for name in (*names, "loo-margin"):
        want = BASELINES[name](linearized, training)
        np.testing.assert_allclose(table[name.replace("-", "_")], want, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(table["noisy"], train.columns["noisy"])
    np.testing.assert_array_equal(table["own_rank"], table["index"])

    groups = pl.read_parquet(folder / "groups.parquet")
    kinds, labels = np.unique(train.columns["source"], return_inverse=True)
    want = infojax.information.unique_information(
        network, params, train, validation, training=training, groups=labels.astype(np.int64)
    )
    by_name = groups.sort("group")
    assert by_name["group"].to_list() == kinds.tolist()
    np.testing.assert_allclose(by_name["f_si"], want.f_si, rtol=1e-9)
    np.testing.assert_allclose(by_name["si"], want.si, rtol=1e-9)
    singly = [table.filter(pl.col("source") == kind)["f_si"].sum() for kind in kinds.tolist()]
    np.testing.assert_allclose(by_name["redundancy"], want.f_si / singly, rtol=1e-9)
    assert groups["examples"].sum() == 60

    suspects = pl.read_parquet(folder / "suspects.parquet")
    assert suspects.equals(table.sort("loo_margin", descending=True).head(4))
    assert suspects["noisy"].all()
    contradicted = table.filter(pl.col("class") != pl.col("predicted_without"))
    assert contradicted.equals(table.filter(pl.col("loo_margin") > 0))

    page = (folder / "report.html").read_text()
    assert len(page) < 2**19
    reader = Reader(page)
    assert page.count("<script") == 1
    digest = base64.b64encode(hashlib.sha256(reader.scripts.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page
    assert all(source.startswith(("#", "data:image/png;base64,")) for source in reader.sources)
    assert len(reader.sources) > 60 + 20 + 20 + 4
    assert reader.text.count(EVIL) > 20
    for index in suspects["index"]:
        assert f"no. {index}" in reader.text
    spearman = json.loads((folder / "record.json").read_text())["correlations"]
    assert set(spearman) == {*names, "si", "loo-margin"}
    ranks = {name: table[name.replace("-", "_")].rank() for name in (*spearman, "f-si")}
    for name, value in spearman.items():
        assert value == pytest.approx(np.corrcoef(ranks[name], ranks["f-si"])[0, 1])
        assert re.search(rf"{name} with F-SI: {value:.4g}", out)


@pytest.mark.slow
def test_what_was_computed_stays_when_groups_fail(score, tmp_path, flat):
    assert score(flat, *QUICK, "--group-by", "class")[0] == 0
    rate = json.loads((tmp_path / "out" / "record.json").read_text())["training"]["learning_rate"]
    for file in ("scores", "groups"):
        (tmp_path / "out" / f"{file}.parquet").unlink()
    steps = ("--learning-rate", str(1.2 * rate))  # stable on both classes, not on the mean over the smaller
    code, table, out = score(flat, *QUICK, *steps, "--group-by", "class")
    assert code == 2
    assert "--group-by class, with" in out
    assert "diverges" in out
    assert table is not None
    assert not (tmp_path / "out" / "groups.parquet").exists()


def test_a_regression_has_no_classes_to_suspect(score, tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    np.savez(tmp_path / "own.npz", x=x, y=x[:, :1], site=np.zeros(20, int))
    for asked, says in (
        (("--suspects", "3"), "--suspects needs labels of two"),
        (("--baseline", "margin"), "--baseline margin needs labels of two"),
        (("--group-by", "class"), "its columns are site"),
        (("--group-by", "site"), "all 10 examples have"),
    ):
        code, table, out = score(str(tmp_path / "own.npz"), *asked)
        assert code == 2
        assert table is None
        assert says in out


def test_columns_that_no_table_holds_do_not_end_the_work(score, tmp_path):
    digits = load("digits").only(0, 1)
    n = len(digits)
    odd = {
        "long": np.arange(n).astype(np.longdouble),
        "when": np.full(n, "2020-01-01", "M8[D]"),
        "notes": np.array([None] * n, object),
        "name": np.array([b"a"] * n),
    }
    np.savez(tmp_path / "odd.npz", x=digits.x.reshape(n, -1), y=digits.y[:, None], **odd)
    code, table, out = score(str(tmp_path / "odd.npz"), *QUICK, "--time", "10")
    assert code == 0
    assert "left out notes, when" in out
    assert table["long"].to_list() == table["index"].to_list()
    assert set(table["name"]) == {"a"}
    assert set(table["class"]) == {"0", "1"}


def test_what_float32_cannot_hold_apart_is_refused_before_any_work(score, tmp_path):
    np.savez(tmp_path / "times.npz", x=1.7e9 + np.arange(60.0)[:, None], y=np.arange(60) % 2)
    code, table, out = score(str(tmp_path / "times.npz"), *QUICK)
    assert (code, table) == (2, None)
    assert "the same in float32" in out
