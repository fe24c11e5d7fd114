"""Label noise: exactly as many labels move as the rate says, only where they may, and the clean ones stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.data import Dataset, asymmetric_noise, symmetric_noise
from infojax.errors import InvalidInput


def random_set(n: int, k: int, seed: int) -> Dataset:
    y = np.random.default_rng(seed).integers(0, k, n)
    x = np.arange(n, dtype=np.float32)[:, None]
    return Dataset(x=x, y=y, classes=tuple(str(c) for c in range(k)))


rates = st.floats(0, 1)
seeds = st.integers(0, 2**32)


@given(st.integers(2, 60), st.integers(2, 7), rates, seeds)
def test_symmetric_flips_exactly_the_fraction(n, k, rate, seed):
    clean = random_set(n, k, seed)
    noisy = symmetric_noise(clean, rate, seed=seed)
    assert noisy.flipped.sum() == round(rate * n)
    np.testing.assert_array_equal(noisy.clean_y, clean.y)
    np.testing.assert_array_equal(noisy.x, clean.x)
    np.testing.assert_array_equal(noisy.y, symmetric_noise(clean, rate, seed=seed).y)


def test_symmetric_is_uniform_over_the_other_classes():
    k, n = 5, 20_000
    noisy = symmetric_noise(Dataset(np.zeros((n, 1)), np.full(n, 2), tuple("abcde")), 1.0, seed=0)
    counts = np.bincount(noisy.y, minlength=k)
    assert counts[2] == 0
    expected = n / (k - 1)
    assert (np.abs(np.delete(counts, 2) - expected) < 5 * np.sqrt(expected)).all()


@given(st.integers(2, 60), st.permutations(range(4)), st.integers(1, 4), rates, seeds)
def test_asymmetric_moves_only_along_the_map(n, order, count, rate, seed):
    mapping = {order[i]: order[(i + 1) % 4] for i in range(count)}
    clean = random_set(n, 4, seed)
    noisy = asymmetric_noise(clean, mapping, rate, seed=seed)
    np.testing.assert_array_equal(noisy.clean_y, clean.y)
    for a in range(4):
        of_a = clean.y == a
        moved = noisy.flipped & of_a
        assert moved.sum() == (round(rate * of_a.sum()) if a in mapping else 0)
        assert set(noisy.y[moved].tolist()) <= {mapping.get(a)}


def test_the_callers_labels_are_not_overwritten():
    clean = random_set(50, 3, seed=1)
    before = clean.y.copy()
    symmetric_noise(clean, 1.0, seed=0)
    asymmetric_noise(clean, {0: 1}, 1.0, seed=0)
    np.testing.assert_array_equal(clean.y, before)
    assert clean.clean_y is None


def test_clean_labels_travel_with_their_examples():
    clean = random_set(60, 4, seed=2)
    noisy = asymmetric_noise(clean, {"0": "1", "1": "0"}, 0.5, seed=3)
    for part in (*noisy.split(20, 20, seed=4), noisy.only(1, 0)):
        ids = part.x[:, 0].astype(int)
        names = np.array([int(c) for c in part.classes])
        np.testing.assert_array_equal(names[part.clean_y], clean.y[ids])
        np.testing.assert_array_equal(part.flipped, noisy.flipped[ids])
    with pytest.raises(InvalidInput, match="Select classes before"):
        symmetric_noise(clean, 1.0, seed=0).only(0, 1)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_rate_is_a_fraction(rate):
    for noisy in (
        lambda d: symmetric_noise(d, rate, seed=0),
        lambda d: asymmetric_noise(d, {0: 1}, rate, seed=0),
    ):
        with pytest.raises(InvalidInput, match=rf"rate {rate} .* \[0, 1\]"):
            noisy(random_set(9, 3, seed=0))


@pytest.mark.parametrize("mapping", [{}, {0: 0}, {0: 1, "0": 2}])
def test_map_has_each_class_once_and_never_to_itself(mapping):
    with pytest.raises(InvalidInput, match="each once"):
        asymmetric_noise(random_set(9, 3, seed=0), mapping, 0.5, seed=0)


def test_refuses_sets_without_clean_classes():
    clean = random_set(9, 3, seed=0)
    with pytest.raises(InvalidInput, match="no class 7"):
        asymmetric_noise(clean, {0: 7}, 0.5, seed=0)
    with pytest.raises(InvalidInput, match="noisy labels already"):
        symmetric_noise(symmetric_noise(clean, 0.5, seed=0), 0.5, seed=0)
    with pytest.raises(InvalidInput, match="regression"):
        symmetric_noise(Dataset(x=np.zeros((3, 1)), y=np.zeros((3, 1))), 0.5, seed=0)
    with pytest.raises(InvalidInput, match="two or more"):
        symmetric_noise(clean.only(1), 0.5, seed=0)
    with pytest.raises(InvalidInput, match="seed -1"):
        symmetric_noise(clean, 0.5, seed=-1)
