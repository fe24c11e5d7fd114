"""Wrong labels, their number and their ranking, against loops, draws from the model and labels changed here."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.information import _wrong_labels, wrong_labels, wrong_labels_of_probabilities


def softmax(f):
    powers = np.exp(f - f.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(seed, n, classes, rate, slope=2.0):
    """Predictions, true classes and given labels from the model: symmetric noise, predictions that tell the odds."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(n, classes)) * 2
    true = np.array([rng.choice(classes, p=p) for p in softmax(slope * f)])
    flipped = rng.random(n) < rate
    return f, true, np.where(flipped, (true + rng.integers(1, classes, n)) % classes, true)


@given(seed=st.integers(0, 2**32 - 1), n=st.sampled_from([1, 9]), classes=st.integers(2, 3))
def test_the_loss_and_the_posterior_are_those_of_a_loop(seed, n, classes):
    rng = np.random.default_rng(seed)
    f, labels = rng.normal(size=(n, classes)), rng.integers(0, classes, n)
    slope, deviation, offset, rows = (
        rng.normal(),
        rng.normal(size=(classes, classes)),
        rng.normal(size=classes),
        rng.normal(size=(classes, classes)),
    )
    t = softmax(rows)
    loss = 0.05 * (deviation**2).sum() + 0.005 * (offset**2).sum()
    for c in range(classes):
        for j in range(classes):
            loss -= (5 if c == j else 0.5 / (classes - 1)) * np.log(t[c, j])
    for i in range(n):
        logits = [
            slope * f[i, c] + sum(deviation[c, d] * f[i, d] for d in range(classes)) + offset[c] for c in range(classes)
        ]
        q = np.exp(logits) / np.exp(logits).sum()
        loss -= np.log(sum(q[c] * t[c, labels[i]] for c in range(classes)))
    with float64():
        at = _wrong_labels._Parameters(*map(jax.numpy.asarray, (slope, deviation, offset, rows)))
        assert float(_wrong_labels._loss(at, jax.numpy.asarray(f), jax.numpy.asarray(labels))) == pytest.approx(loss)


def test_the_posterior_is_bayes_rule_with_what_was_fitted():
    f, _, labels = drawn(0, 300, 3, 0.1)
    found = wrong_labels(f, labels)
    for i in range(300):
        joint = found.true_classes[i] * found.transition[:, labels[i]]
        assert found.posterior[i] == pytest.approx(1 - joint[labels[i]] / joint.sum(), abs=1e-12)
        assert found.scores[i] == pytest.approx(1 - found.true_classes[i, labels[i]], abs=1e-12)
    np.testing.assert_allclose(found.transition.sum(axis=1), 1)
    assert found.converged


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_draws_from_the_model_give_its_numbers_back(rate):
    f, true, labels = drawn(3, 6000, 4, rate)
    found = wrong_labels(f, labels)
    wrong = labels != true
    low, high = found.interval
    assert low < wrong.sum() < high
    assert found.number == pytest.approx(wrong.sum(), rel=0.1)
    np.testing.assert_allclose(found.transition, np.eye(4) * (1 - rate * 4 / 3) + rate / 3, atol=0.03)
    flagged = found.flag()
    assert flagged.precision == pytest.approx(wrong[flagged.mask].mean(), abs=0.06)
    assert flagged.recall == pytest.approx(wrong[flagged.mask].sum() / wrong.sum(), abs=0.06)


@pytest.mark.parametrize("noise", ["symmetric", "shifted"])
@pytest.mark.parametrize(
    "rate", [pytest.param(0.02, marks=pytest.mark.slow), 0.05, pytest.param(0.2, marks=pytest.mark.slow)]
)
def test_digits_with_labels_changed_here(noise, rate):
    """Leave-one-out ridge regression on random features; the number within fifteen percent, or five labels."""
    digits = load_digits()
    y, n = digits.target, len(digits.target)
    rng = np.random.default_rng(int(100 * rate))
    features = np.maximum(digits.data / 16 @ rng.normal(size=(64, 400)) + rng.normal(size=400), 0) / 10
    wrong = rng.random(n) < rate
    labels = np.where(wrong, (y + (rng.integers(1, 10, n) if noise == "symmetric" else 1)) % 10, y)
    hat = features @ np.linalg.solve(features.T @ features + np.eye(400), features.T)
    onehot = np.eye(10)[labels]
    held_out = onehot - (onehot - hat @ onehot) / (1 - np.diag(hat))[:, None]
    found = wrong_labels(held_out, labels)
    low, high = found.interval
    assert low < wrong.sum() < high
    assert abs(found.number - wrong.sum()) < max(0.15 * wrong.sum(), 5)
    clean, suspect = found.scores[~wrong], found.scores[wrong]
    assert (suspect[:, None] > clean[None]).mean() > 0.995
    flagged = found.flag()
    assert wrong[flagged.mask].mean() > 0.8
    assert wrong[flagged.mask].sum() > 0.85 * wrong.sum()


@pytest.mark.slow
def test_the_order_of_examples_and_classes_and_the_scale_of_the_slope_do_not_matter():
    f, _, labels = drawn(5, 500, 3, 0.1)
    found = wrong_labels(f, labels)
    order = np.random.default_rng(0).permutation(500)
    shuffled = wrong_labels(f[order], labels[order])
    np.testing.assert_allclose(shuffled.posterior, found.posterior[order], atol=2e-4)
    # Class c is called (c + 1) mod 3.
    renamed = wrong_labels(np.roll(f, 1, axis=1), (labels + 1) % 3)
    np.testing.assert_allclose(renamed.posterior, found.posterior, atol=2e-4)
    np.testing.assert_allclose(renamed.transition, np.roll(found.transition, (1, 1), (0, 1)), atol=2e-4)


def test_probabilities_are_taken_by_their_logarithms():
    f, _, labels = drawn(6, 400, 3, 0.1)
    p = softmax(f / 2)
    assert p.min() > 1e-6
    found = wrong_labels_of_probabilities(p, labels)
    np.testing.assert_allclose(found.posterior, wrong_labels(np.log(p), labels).posterior, atol=1e-6)
    # A classifier that is certain is taken for nearly certain.
    certain = np.eye(3)[labels]
    certain[0] = np.roll(certain[0], 1)
    found = wrong_labels_of_probabilities(certain, labels)
    assert found.scores.argmax() == 0
    assert np.isfinite(found.posterior).all()


def test_as_many_are_flagged_as_the_precision_allows():
    f, _, labels = drawn(7, 400, 3, 0.2)
    found = wrong_labels(f, labels)
    for wanted in (0.95, 0.7, 0.3):
        flagged = found.flag_with_precision(wanted)
        assert flagged.precision >= wanted
        rest = np.flatnonzero(~flagged.mask)
        more = flagged.mask.copy()
        more[rest[found.posterior[rest].argmax()]] = True
        assert found.posterior[more].mean() < wanted
    assert found.flag_with_precision(0.0).mask.all()
    nothing = found.flag(1.0)
    assert (nothing.mask.any(), nothing.precision, nothing.recall) == (False, 1.0, 0.0)


@pytest.mark.parametrize(
    ("predictions", "labels", "message"),
    [
        (np.zeros((3, 1)), [0, 0, 0], r"predictions has shape \(3, 1\).*two classes"),
        (np.zeros((0, 2)), [], r"predictions has shape \(0, 2\)"),
        (np.zeros((3, 2)), [0, 1], r"labels has shape \(2,\).*one label for each row"),
        (np.zeros((3, 2)), [0, 1, 2], r"labels\[2\] is 2; with 2 classes"),
        (np.zeros((3, 2)), [0, 0.5, 1], r"labels\[1\] is 0\.5"),
        ([[0, np.nan]], [0], r"1 NaN or infinite"),
    ],
)
def test_what_is_no_prediction_or_label_is_refused(predictions, labels, message):
    with pytest.raises(InvalidInput, match=message):
        wrong_labels(predictions, labels)


def test_what_is_no_probability_is_refused():
    with pytest.raises(InvalidInput, match=r"2 rows that are none, first row 1: .*sum 0\.7"):
        wrong_labels_of_probabilities([[0.5, 0.5], [0.2, 0.5], [1.1, -0.1]], [0, 1, 0])
    found = wrong_labels(np.eye(2)[[0, 1]], [0, 1])
    for threshold in (-0.1, 1.5, np.nan):
        with pytest.raises(InvalidInput, match=r"threshold is .*from 0 to 1"):
            found.flag(threshold)
        with pytest.raises(InvalidInput, match=r"precision is .*from 0 to 1"):
            found.flag_with_precision(threshold)
