import json

import jax
import numpy as np
import polars as pl
import pytest
from PIL import Image

import infojax.information
from infojax.cli import main
from infojax.cli import score as module
from infojax.data import Dataset, load
from infojax.linearized import Converged, GradientDescent, GradientFlow
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
    np.testing.assert_allclose(table["si"], want.weights, rtol=1e-9)
    np.testing.assert_allclose(table["f_si"], want.functional, rtol=1e-9)
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


@pytest.mark.parametrize(
    ("args", "training"),
    [
        (("--time", "30"), GradientFlow(30.0)),
        (("--converged",), Converged()),
        (
            ("--steps", "10", "--learning-rate", "0.01", "--convention", "sum", "--decay", "0.1"),
            GradientDescent(10, 0.01),
        ),
    ],
)
def test_ways_of_training(score, tmp_path, args, training):
    code, table, out = score("digits", "--classes", "0,1", *QUICK, *args)
    assert code == 0
    assert f"Trained by {training}" in out
    assert table["si"].is_finite().all()
    assert json.loads((tmp_path / "out" / "record.json").read_text())["training"]["type"] == type(training).__name__


@pytest.mark.parametrize("extra", [("--convention", "sum"), ("--decay", "5")])
def test_the_default_step_is_half_the_largest_stable_one(score, tmp_path, extra):
    assert score("digits", "--classes", "0,1", *QUICK, *extra)[0] == 0
    rate = json.loads((tmp_path / "out" / "record.json").read_text())["training"]["learning_rate"]
    ask = lambda rate: score("digits", "--classes", "0,1", *QUICK, *extra, "--learning-rate", str(rate))  # noqa: E731
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


def test_a_folder_of_images(score, tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("cats [x]", "dogs"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 256, (5, 6, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / kind / f"{i}.png")
    code, table, out = score(str(tmp_path / "pets"), "--hidden", "8", "--size", "4", "4")
    assert code == 0
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
