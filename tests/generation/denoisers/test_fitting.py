"""Training a denoiser, against the exact noise of Gaussians; its checkpoints, against a run that nothing stopped."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rich.progress import Progress

from infojax.errors import CorruptData, InvalidInput
from infojax.generation.denoisers import fitting as denoiser_training
from infojax.generation.denoisers.denoiser import Denoiser, ResidualMLP
from infojax.generation.denoisers.fitting import denoising_loss, train_denoiser
from infojax.generation.sampling.schedule import cosine
from infojax.training import training_set

SCHEDULE = cosine()
MEANS, DEVIATION = np.array([[-0.8, 0.3], [0.6, -0.5]]), 0.4


def gaussians(n):
    random = np.random.default_rng(0)
    y = np.arange(n) % 2
    return (MEANS[y] + DEVIATION * random.normal(size=(n, 2))).astype(np.float32), y


def exact_noise(x, signal, label):
    """E[ε | x_t, label] by Bayes' rule; label 2 is any."""
    variance = signal * DEVIATION**2 + 1 - signal
    away = x[:, None] - np.sqrt(signal) * MEANS[None]
    each = np.sqrt(1 - signal) * away / variance
    if label < 2:
        return each[:, label]
    weights = np.exp(-(away**2).sum(2) / (2 * variance))
    return np.einsum("bk,bkd->bd", weights / weights.sum(1, keepdims=True), each)


def small(**changes):
    x, y = gaussians(64)
    given = {"classes": 2, "network": ResidualMLP(4, 1), "schedule": SCHEDULE, "steps": 18, "batch": 8}
    return train_denoiser(x, y, **(given | {"key": jax.random.key(0)} | changes))


@pytest.fixture(autouse=True)
def _short_dispatches(monkeypatch):
    monkeypatch.setattr(denoiser_training, "_RECORDED", 5)


def same(first, second):
    jax.tree.map(np.testing.assert_array_equal, first.generator.params, second.generator.params)
    np.testing.assert_array_equal(first.loss, second.loss)
    np.testing.assert_array_equal(first.validation_loss, second.validation_loss)


@pytest.mark.slow
def test_it_learns_the_exact_noise(monkeypatch):
    monkeypatch.setattr(denoiser_training, "_RECORDED", 500)
    x, y = gaussians(20_000)
    trained = train_denoiser(
        x[:-1000], y[:-1000], classes=2, network=ResidualMLP(32, 1), schedule=SCHEDULE, steps=1000, batch=256,
        learning_rate=5e-3, averaging=0.99, drop_label=0.3, held_out=(x[-1000:], y[-1000:]), key=jax.random.key(1),
    )  # fmt: skip
    assert trained.steps.tolist() == [500, 1000]
    assert np.all(np.isfinite(trained.validation_loss))
    for t in (0.2, 0.5, 0.8):
        signal = float(SCHEDULE.signal(t))
        noised = np.sqrt(signal) * x[:500] + np.sqrt(1 - signal) * np.random.default_rng(2).normal(size=(500, 2))
        for label in (0, 1, 2):
            here = noised[y[:500] == label] if label < 2 else noised
            exact = exact_noise(here, signal, label)
            got = trained.generator.noise(jnp.asarray(here, jnp.float32), jnp.asarray(t), jnp.full(len(here), label))
            away = np.sqrt(np.mean((got - exact) ** 2))
            assert away < 0.08, (t, label, away)
            assert np.sqrt(np.mean(exact**2)) > 0.3


def test_the_loss_is_that_of_the_definition():
    """Were v predicted as 0, the loss would be E v², which for x₀ = 1 of one number is E(√ξ ε − √(1 − ξ))² = 1."""
    denoiser = Denoiser(ResidualMLP(4, 0), (1,), 1, SCHEDULE)
    nothing = jax.tree.map(jnp.zeros_like, denoiser.init(jax.random.key(0)))
    loss = denoising_loss(denoiser, nothing, jnp.ones((20_000, 1)), jnp.zeros(20_000, int), jax.random.key(0))
    assert abs(loss - 1) < 0.05


def test_the_average_is_that_of_all_steps():
    x, y = gaussians(64)
    key = jax.random.key(0)
    trained = small(averaging=0.3, steps=7, key=key)
    start, drawn = jax.random.split(key)
    denoiser = trained.generator.predict
    warmed = optax.warmup_cosine_decay_schedule(0.0, 1e-3, 1, 8)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(warmed, b2=0.99, weight_decay=1e-4))
    objective = denoiser_training.DenoisingObjective(denoiser, 8, 0.1)
    slope = jax.jit(jax.grad(lambda params, key: objective(params, training_set(x, y), key)))
    params = average = denoiser.init(start)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        moments = optimizer.init(params)
        for i in range(7):
            updates, moments = optimizer.update(slope(params, jax.random.fold_in(drawn, i)), moments, params)
            params = optax.apply_updates(params, updates)
            decay = min(0.3, (1 + i) / (10 + i))
            average = jax.tree.map(lambda a, p, d=decay: d * a + (1 - d) * p, average, params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), trained.generator.params, average)
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), trained.generator.params, params)
    assert max(jax.tree.leaves(moved)) > 1e-5


@pytest.mark.parametrize(
    ("drop", "untouched", "learned"), [(1.0, [0, 1], [2]), pytest.param(0.0, [2], [0, 1], marks=pytest.mark.slow)]
)
def test_labels_are_dropped(drop, untouched, learned):
    key = jax.random.key(0)
    trained = small(drop_label=drop, weight_decay=0.0, key=key)
    before = trained.generator.predict.init(jax.random.split(key)[0])["condition"]["label"]["embedding"]
    after = trained.generator.params["condition"]["label"]["embedding"]
    np.testing.assert_allclose(after[jnp.array(untouched)], before[jnp.array(untouched)], atol=1e-6)
    assert np.all(np.abs(after - before)[jnp.array(learned)].max(1) > 1e-4)


class Interrupting(Progress):
    """Ctrl-C once so many steps are done; and copies of the checkpoint as it is at each moment."""

    def __init__(self, at, folder, copies=None):
        super().__init__(disable=True)
        self.at, self.folder, self.copies = at, folder, copies

    def update(self, task_id, *, completed=None, **fields):
        if self.copies is not None and self.folder.exists():
            shutil.copytree(self.folder, self.copies / str(completed))
        if completed == self.at:
            raise KeyboardInterrupt


def test_killed_between_checkpoints_it_goes_on_to_the_same_bits(tmp_path):
    held_out = gaussians(10)
    whole = small(held_out=held_out)
    folder, copies = tmp_path / "training", tmp_path / "copies"
    watched = small(held_out=held_out, checkpoint=folder, save_every=0.0, progress=Interrupting(-1, folder, copies))
    same(whole, watched)
    # each copy is what a kill would have left: a checkpoint of the steps before the last dispatch
    assert sorted(int(copy.name) for copy in copies.iterdir()) == [10, 15, 18]
    for copy in copies.iterdir():
        before = str(int(copy.name) // 5 * 5 - (5 if copy.name != "18" else 0))
        assert {part.name for part in copy.iterdir()} == {before, "about.json"}
        same(whole, small(held_out=held_out, checkpoint=copy))


def test_ctrl_c_keeps_what_was_done(tmp_path, monkeypatch):
    folder = tmp_path / "training"
    with pytest.raises(KeyboardInterrupt):
        small(checkpoint=folder, save_every=1e9, progress=Interrupting(10, folder))
    assert {part.name for part in folder.iterdir()} == {"10", "about.json"}
    same(small(), small(checkpoint=folder))
    monkeypatch.setattr(denoiser_training, "advance", None)  # nothing is left to do
    same(small(checkpoint=folder), small(checkpoint=folder))


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 19},
        {"learning_rate": 2e-3},
        {"network": ResidualMLP(4, 2)},
        {"schedule": cosine(-10.0, 10.0)},
        {"key": jax.random.key(1)},
        {"held_out": gaussians(8)},
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path_factory, change):
    folder = tmp_path_factory.getbasetemp() / "of-another-training"
    if not folder.exists():
        small(checkpoint=folder)
    with pytest.raises(InvalidInput, match=r"belongs to other data or another configuration.*delete it"):
        small(checkpoint=folder, **change)


def test_a_damaged_checkpoint_is_told(tmp_path):
    whole = tmp_path / "whole"
    trained = small(checkpoint=whole)
    files = [path for path in whole.rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in sorted(files, reverse=True):
        raw = path.read_bytes()
        for damaged in {_flip(raw), raw[: len(raw) // 2], b"{}"} - {raw}:
            path.write_bytes(damaged)
            with pytest.raises((CorruptData, InvalidInput), match="delete it to begin anew"):
                small(checkpoint=whole)
        path.write_bytes(raw)
    path.unlink()
    with pytest.raises(CorruptData, match="not what was written"):
        small(checkpoint=whole)
    path.write_bytes(raw)
    same(trained, small(checkpoint=whole))


def _flip(raw):
    middle = len(raw) // 2
    return raw[:middle] + bytes([raw[middle] ^ 0xFF]) + raw[middle + 1 :] if raw else raw


def test_a_file_is_no_checkpoint(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="is a file"):
        small(checkpoint=tmp_path / "file")


def test_a_loss_that_diverges_is_told_and_what_was_done_kept(tmp_path):
    x, y = gaussians(64)
    with pytest.raises(InvalidInput, match="not finite between steps 0 and 5; lower learning_rate"):
        small(learning_rate=1e30, checkpoint=tmp_path / "training")
    with pytest.raises(InvalidInput, match="finite floats"):
        train_denoiser(
            np.where(x > 0, np.nan, x), y, classes=2, network=ResidualMLP(4, 1), schedule=SCHEDULE, steps=1,
            key=jax.random.key(0),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"classes": 1}, "0 to 0"),
        ({"steps": 0}, "steps=0"),
        ({"batch": 0}, "batch=0"),
        ({"drop_label": 1.5}, "drop_label=1.5"),
        ({"averaging": 1.0}, "averaging=1.0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"held_out": (np.zeros((3, 4), np.float32), np.zeros(3, int))}, "held_out"),
    ],
)
def test_what_does_not_fit_is_told(change, says):
    with pytest.raises(InvalidInput, match=says):
        small(**change)
