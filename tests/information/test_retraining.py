"""Retraining with an example weighted out, against training where it really is not there."""

import signal
import subprocess
import sys
import time
from dataclasses import replace

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import CorruptData, InvalidInput, OverBudget
from infojax.information import from_kernels, retrain_without_each
from infojax.linearized import Converged, GradientDescent
from infojax.models import Network, mlp

N, M = 7, 5


def data(outputs=1, seed=0, n=N):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(n, outputs))
    return (x, y), (rng.normal(size=(M, 3)), np.zeros((M, outputs)))


def wide(network, shape=(3,)):
    """Parameters in float64; to be called, and used, within `float64()`."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), network.init(jax.random.key(0), shape))


def plainly(network, params, x, y, training):
    """Training as anyone would write it."""

    def loss(w):
        squares = jnp.sum((network.apply(w, x) - y) ** 2) / 2
        apart = sum(jnp.sum((a - b) ** 2) for a, b in zip(*map(jax.tree.leaves, (w, params)), strict=True))
        return (squares / len(x) if training.convention == "mean" else squares) + training.decay * apart / 2

    slope = jax.jit(jax.grad(loss))
    for _ in range(training.steps):
        params = jax.tree.map(lambda w, g: w - training.learning_rate * g, params, slope(params))
    return params


@pytest.mark.parametrize("over", ["map", "vmap", "steps"])
@pytest.mark.parametrize(
    ("convention", "decay", "outputs"), [("mean", 0.3, 2), pytest.param("sum", 0.2, 1, marks=pytest.mark.slow)]
)
def test_equals_training_without_the_example(over, convention, decay, outputs):
    network = mlp(hidden=(6,), outputs=outputs, activation=jnp.tanh)
    (x, y), validation = data(outputs)
    training = GradientDescent(40, 0.3 if convention == "mean" else 0.05, decay, convention)
    chosen = [4, 0, 6, 5, 1]
    with float64():
        params = wide(network)
        got = retrain_without_each(
            network, params, (x, y), validation, training=training, examples=chosen, sigma=0.5, block=2, over=over,
        )  # fmt: skip
        full = plainly(network, params, x, y, training)
        predictions = np.asarray(network.apply(full, validation[0]))
        weights, functional = [], []
        for i in chosen:
            kept = np.arange(N) != i
            without = plainly(network, params, x[kept], y[kept], training)
            apart = jax.tree.map(lambda a, b: np.sum(np.square(a - b)), full, without)
            weights.append(sum(jax.tree.leaves(apart)) / 2)
            moved = predictions - np.asarray(network.apply(without, validation[0]))
            functional.append(np.sum(moved**2) / (2 * 0.5**2 * M))
    np.testing.assert_allclose(got.si, weights, rtol=1e-10)
    np.testing.assert_allclose(got.f_si, functional, rtol=1e-10)
    np.testing.assert_allclose(got.predictions, predictions, rtol=1e-12)
    assert got.examples.tolist() == chosen
    assert got.si.dtype == np.float64


@pytest.mark.parametrize("convention", ["mean", pytest.param("sum", marks=pytest.mark.slow)])
def test_of_a_linear_network_is_the_closed_form(convention):
    network = mlp(hidden=(), outputs=2)
    (x, y), validation = data(2)
    training = GradientDescent(200, 0.2 if convention == "mean" else 0.03, 0.1, convention)
    with float64():
        params = wide(network)
        got = retrain_without_each(network, params, (x, y), validation, training=training)
        residual = y - np.asarray(network.apply(params, x))

    def kernel(a, b):  # of x W + c, the same for both outputs
        return np.kron(a @ b.T + 1, np.eye(2))

    want = from_kernels(kernel(x, x), kernel(validation[0], x), residual, outputs=2, training=training)
    np.testing.assert_allclose(got.si, want.si, rtol=1e-9)
    np.testing.assert_allclose(got.f_si, want.f_si, rtol=1e-9)


def test_float32_stays_close_to_float64():
    network = mlp(hidden=(20,))
    train, validation = data()
    training = GradientDescent(steps=50, learning_rate=0.1)
    narrow = retrain_without_each(network, network.init(jax.random.key(0), (3,)), train, validation, training=training)
    with float64():
        double = retrain_without_each(network, wide(network), train, validation, training=training)
    np.testing.assert_allclose(narrow.si, double.si, rtol=1e-3)
    np.testing.assert_allclose(narrow.f_si, double.f_si, rtol=1e-3)


class Watched:
    """As much of `rich.progress.Progress` as is needed, interrupting after so many examples."""

    def __init__(self, interrupt_after=None):
        self.done, self.started, self.limit = 0, None, interrupt_after

    def add_task(self, description, total, completed):
        self.started = (total, completed)
        return 0

    def advance(self, task, steps):
        self.done += steps
        if self.limit is not None and self.done >= self.limit:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("over", ["map", "vmap", "steps"])
def test_an_interrupted_run_goes_on_and_repeats_nothing(tmp_path, over):
    network = mlp(hidden=(8,))
    params = network.init(jax.random.key(0), (3,))
    train, validation = data(n=11)
    file = tmp_path / "new" / "retraining.npz"

    def run(**options):
        training = GradientDescent(steps=30, learning_rate=0.1)
        return retrain_without_each(
            network, params, train, validation, training=training, block=3, over=over, **options
        )

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=file, progress=Watched(interrupt_after=6))
    assert [path.name for path in file.parent.iterdir()] == ["retraining.npz"]
    watched = Watched()
    resumed = run(checkpoint=file, progress=watched)
    assert (watched.started, watched.done) == ((11, 6), 5)
    whole = run()
    for mine, theirs in zip(jax.tree.leaves(resumed), jax.tree.leaves(whole), strict=True):
        np.testing.assert_array_equal(mine, theirs)

    # What stands in the file is taken as it stands: nothing is trained again, the full run included.
    with np.load(file) as stored:
        arrays = dict(stored)
    arrays["squares"] = arrays["squares"] * 2
    arrays["leaf0"] = arrays["leaf0"] * np.float32(1 + 1e-6)
    np.savez(file, **arrays)
    again = run(checkpoint=file)
    np.testing.assert_array_equal(again.si, 2 * whole.si)
    np.testing.assert_array_equal(jax.tree.leaves(again.params)[0], arrays["leaf0"])
    assert (arrays["leaf0"] != jax.tree.leaves(whole.params)[0]).any()
    np.testing.assert_array_equal(run(checkpoint=file, examples=[3], sigma=2.0).f_si, whole.f_si[3:4] / 2)


SCRIPT = """
import jax, numpy as np
from infojax.information import retrain_without_each
from infojax.linearized import GradientDescent
from infojax.models import mlp
rng = np.random.default_rng(0)
x, y = rng.normal(size=(30, 3)).astype("f"), rng.normal(size=(30, 1)).astype("f")
network = mlp(hidden=(16,))
scores = retrain_without_each(
    network, network.init(jax.random.key(0), (3,)), (x, y), (x, y),
    training=GradientDescent(5000, 0.01), block=1, checkpoint=file,
)
"""


def test_ctrl_c_in_another_process_loses_at_most_a_block(tmp_path):
    file = tmp_path / "retraining.npz"
    start = [sys.executable, "-c", f"from pathlib import Path\nfile = Path({str(file)!r})\n{SCRIPT}"]
    with subprocess.Popen(start, stderr=subprocess.PIPE, text=True) as process:
        while not file.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.communicate(timeout=120)[1]
    with np.load(file) as stored:
        first = stored["squares"]
    done = np.isfinite(first[:, 0])
    assert 0 < done.sum() < 30

    resumed, whole = {"file": file}, {"file": None}
    exec(SCRIPT, resumed)
    exec(SCRIPT, whole)
    np.testing.assert_array_equal(resumed["scores"].si[done], first[done, 0] / 2)
    np.testing.assert_array_equal(resumed["scores"].si, whole["scores"].si)
    np.testing.assert_array_equal(resumed["scores"].f_si, whole["scores"].f_si)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    network = mlp(hidden=(4,))
    params = network.init(jax.random.key(0), (3,))
    train, validation = data()
    given = {
        "training": GradientDescent(steps=10, learning_rate=0.1, decay=0.1),
        "checkpoint": tmp_path / "c",
    }
    retrain_without_each(network, params, train, validation, **given, examples=[1])
    changes = [
        {"steps": 11},
        {"learning_rate": 0.11},
        {"decay": 0.2},
        {"convention": "sum"},
    ]
    for change in changes:
        training = replace(given["training"], **change)
        with pytest.raises(InvalidInput, match=r"belongs to other data, parameters or training.*delete it"):
            retrain_without_each(network, params, train, validation, **{**given, "training": training})
    other = network.init(jax.random.key(1), (3,))
    for inputs in ((other, train, validation), (params, validation, validation), (params, train, train)):
        with pytest.raises(InvalidInput, match="belongs to other data"):
            retrain_without_each(network, *inputs, **given)
    with pytest.raises(InvalidInput, match="computes other outputs"):
        retrain_without_each(mlp(hidden=(4,), activation=jnp.tanh), params, train, validation, **given)
    given["checkpoint"].write_bytes(b"not an archive")
    with pytest.raises(CorruptData, match="is no checkpoint of infojax"):
        retrain_without_each(network, params, train, validation, **given)
    np.savez(tmp_path / "own.npz", scores=np.ones(3))
    with pytest.raises(CorruptData, match="is no checkpoint of infojax"):
        retrain_without_each(network, params, train, validation, **given | {"checkpoint": tmp_path / "own.npz"})


def test_diverging_training_is_named():
    network = mlp(hidden=(4,))
    train, validation = data()
    with pytest.raises(InvalidInput, match=r"on all examples diverged.*learning_rate=30.*Lower"):
        retrain_without_each(
            network,
            network.init(jax.random.key(0), (3,)),
            train,
            validation,
            training=GradientDescent(100, 30.0),
        )

    # Stable with all examples, unstable without any one of them: 1.9 → 2.85.
    def apply(params, x):
        return params["w"][None] * jnp.where(x > 0, x, 0.0)

    linear = Network(lambda key, shape: {"w": jnp.zeros(1)}, apply)
    x, y = np.ones((3, 1), np.float32), np.ones((3, 1), np.float32)
    x[0], y[0] = -1.0, 0.0
    run = GradientDescent(2000, 2.85)
    with pytest.raises(InvalidInput, match=r"without one of the examples \[0\] diverged"):
        retrain_without_each(linear, {"w": jnp.zeros(1)}, (x, y), (x, y), training=run, examples=[0])


def test_half_a_step_is_refused():
    with pytest.raises(InvalidInput, match=r"steps is 2\.5"):
        GradientDescent(2.5, 0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": Converged()}, "trained in steps"),
        ({"sigma": 0.0}, "sigma is 0.0"),
        ({"over": "loop"}, "'loop'"),
        ({"block": 0}, "block is 0"),
        ({"examples": [0, 7]}, "from 0 to 6"),
        ({"examples": [-1]}, "from 0 to 6"),
        ({"examples": [2, 2]}, "different"),
        ({"examples": []}, "from 0 to 6"),
        ({"examples": [0.5]}, "from 0 to 6"),
    ],
)
def test_bad_settings(change, message, monkeypatch):
    network = mlp(hidden=(4,))
    train, validation = data()
    settings = {"training": GradientDescent(steps=5, learning_rate=0.1), **change}
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # users run without type checks
    with pytest.raises(InvalidInput, match=message):
        retrain_without_each(network, network.init(jax.random.key(0), (3,)), train, validation, **settings)


def test_bad_data():
    network = mlp(hidden=(4,))
    params = network.init(jax.random.key(0), (3,))
    (x, y), validation = data()
    run = {"training": GradientDescent(steps=5, learning_rate=0.1)}

    def refused(train, message, validation=validation, params=params):
        with pytest.raises(InvalidInput, match=message):
            retrain_without_each(network, params, train, validation, **run)

    hole = x.copy()
    hole[2, 1] = np.nan
    refused((hole, y), "train x has 1 NaN")
    refused((x, y * np.inf), "train targets has 7 NaN or infinite")
    refused((x, y[:-1]), r"x \(7, 3\) and targets \(6, 1\)")
    refused((x[:1], y[:1]), "needs at least 2")
    refused((x, np.tile(y, 2)), r"outputs of shape \(7, 1\).*outputs=2")
    refused((x[:, :2], y), r"network\.init")
    refused((x, y), r"network\.init", validation=(x[:, :2], y))
    refused((x, y), r"\(0, 3\)", validation=(x[:0], y[:0]))
    refused((x, y), "weights that are integers", params=jax.tree.map(lambda leaf: leaf.astype(int), params))


def test_targets_without_an_axis_for_outputs():
    network = mlp(hidden=(4,))
    params = network.init(jax.random.key(0), (3,))
    (x, y), validation = data()
    run = GradientDescent(steps=5, learning_rate=0.1)
    flat, column = (retrain_without_each(network, params, (x, t), validation, training=run) for t in (y[:, 0], y))
    np.testing.assert_array_equal(flat.f_si, column.f_si)


def test_stays_within_the_budget():
    network = mlp(hidden=(400,))
    params = network.init(jax.random.key(0), (3,))
    train, validation = data()
    run = {"training": GradientDescent(steps=2, learning_rate=0.1)}
    with pytest.raises(OverBudget, match=r"1 model\(s\).*budget is 1000\. Give a larger"):
        retrain_without_each(network, params, train, validation, **run, budget=1000)
    with pytest.raises(OverBudget, match=r"6 model\(s\).*a block of at most [1-5], or over"):
        retrain_without_each(network, params, train, validation, **run, budget=60_000, block=6, over="vmap")
    by_blocks = retrain_without_each(network, params, train, validation, **run, budget=60_000, over="vmap")
    at_once = retrain_without_each(network, params, train, validation, **run, over="vmap")
    np.testing.assert_allclose(by_blocks.si, at_once.si, rtol=1e-4)
