"""The generators that infojax trains itself: once for a machine, on training examples; pixels there and back."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.errors import CorruptData
from infojax.generation import sample
from infojax.generation.denoisers import digits as learned
from infojax.generation.denoisers.denoiser import PatchMixer, ResidualMLP

TINY = dataclasses.replace(learned.DIGITS, network=ResidualMLP(8, 1), steps=20, batch=16)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INFOJAX_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(learned, "DIGITS", TINY)
    return tmp_path / "data"


def must_not_train(*_, **__):
    raise AssertionError("trained again")


@pytest.mark.slow
def test_it_is_trained_once(cache, monkeypatch):
    made = learned.digits_generator()
    assert [path.name for path in cache.iterdir()] == ["digits-generator"]
    record = json.loads((cache / "digits-generator" / "manifest.json").read_text())
    assert record["recipe"]["steps"] == 20
    assert np.isfinite(record["loss on unseen examples"]).all()
    assert sample(made, np.array([3, 10]), key=jax.random.key(0), steps=3).x.shape == (2, 8, 8, 1)
    with monkeypatch.context() as patch:
        patch.setattr(learned, "train_denoiser", must_not_train)
        again = learned.digits_generator()
        assert jax.tree.structure(made) == jax.tree.structure(again)
        jax.tree.map(np.testing.assert_array_equal, made.params, again.params)
        stored = cache / "digits-generator" / "weights.npz"
        whole = stored.read_bytes()
        stored.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
        with pytest.raises(CorruptData, match="make digits-generator again"):
            learned.digits_generator()
        stored.write_bytes(whole)
        patch.setattr(learned, "DIGITS", dataclasses.replace(TINY, network=PatchMixer(4, 8, 8, 1)))
        with pytest.raises(AssertionError, match="trained again"):
            learned.digits_generator()


def test_an_interrupted_training_goes_on(cache, monkeypatch):
    seen = []
    train = learned.train_denoiser

    def interrupted(x, y, **options):
        seen.append((options["checkpoint"].exists(), len(x)))
        trained = train(x, y, **options)
        if len(seen) == 1:
            raise KeyboardInterrupt
        return trained

    monkeypatch.setattr(learned, "train_denoiser", interrupted)
    with pytest.raises(KeyboardInterrupt):
        learned.digits_generator()
    learned.digits_generator()
    assert seen == [(False, 1000), (True, 1000)]
    assert [path.name for path in cache.iterdir()] == ["digits-generator"]


def test_the_parts_have_nothing_in_common():
    train, unseen = learned.digits_parts()
    assert (len(train), len(unseen)) == (1000, 797)
    rows = [{row.tobytes() for row in part.x} for part in (train, unseen)]
    assert not rows[0] & rows[1]


@pytest.mark.fetched("mnist")
def test_mnist_is_trained_on_its_training_part(cache, monkeypatch):
    seen = {}

    def look(x, y, **options):
        seen.update(x=x, held_out=options["held_out"], network=options["network"])
        raise KeyboardInterrupt

    monkeypatch.setattr(learned, "train_denoiser", look)
    train, unseen = learned.mnist_parts()
    monkeypatch.setattr(learned, "mnist_parts", lambda: (train, unseen))
    monkeypatch.setattr(learned, "stored", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        learned.mnist_generator()
    np.testing.assert_array_equal(seen["x"], 2 * train.x - 1)
    np.testing.assert_array_equal(seen["held_out"][1], unseen.y)
    assert (len(train), len(unseen), seen["network"]) == (60_000, 10_000, learned.MNIST.network)


def test_pixels_there_and_back():
    pixels = np.random.default_rng(0).uniform(size=(2, 3, 3, 1)).astype(np.float32)
    np.testing.assert_allclose(learned.to_pixels(learned.from_pixels(pixels)), pixels, atol=1e-6)
    np.testing.assert_array_equal(learned.to_pixels(jnp.array([-3.0, -1.0, 0.0, 4.0])), [0, 0, 0.5, 1])
