"""Information for a linear head: against the kernel of all outputs, from files, and for finding wrong labels."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from infojax.data import ArrayTiles, NpyTiles
from infojax.errors import InvalidInput
from infojax.information import Labeled, from_kernels, head_information, head_information_of_groups, wrong_labels
from infojax.linearized import Converged, GradientFlow


def problem(n=8, p=4, k=3, m=5, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(Labeled(ArrayTiles(rng.normal(size=(rows, p))), rng.normal(size=(rows, k))) for rows in (n, m))


def kernels_of_all_outputs(train, validation):
    features, k = train.features.array, np.eye(train.targets.shape[1])
    return np.kron(features @ features.T, k), np.kron(validation.features.array @ features.T, k)


@pytest.mark.parametrize("training", [Converged(0.3), GradientFlow(2.0, 0.5, decay=0.1)], ids=["converged", "flow"])
@pytest.mark.parametrize("groups", [None, [[0, 3], [1, 2, 5, 6]]], ids=["each", "groups"])
def test_the_kernel_of_all_outputs_says_the_same(training, groups):
    train, validation = problem()
    expected = from_kernels(
        *kernels_of_all_outputs(train, validation),
        train.targets,
        outputs=3,
        training=training,
        groups=groups,
        sigma=0.5,
    )
    if groups is None:
        made = head_information(train, validation, training, sigma=0.5)
    else:
        made = head_information_of_groups(train, validation, training, groups, sigma=0.5)
    np.testing.assert_allclose(made.si, expected[0], rtol=1e-9)
    np.testing.assert_allclose(made.f_si, expected[1], rtol=1e-9)


def test_files_say_what_arrays_say(tmp_path):
    train, validation = problem()
    np.save(tmp_path / "features.npy", train.features.array)
    made = head_information(Labeled(NpyTiles(tmp_path / "features.npy"), train.targets), validation, Converged(0.1))
    for part, expected in zip(made, head_information(train, validation, Converged(0.1)), strict=True):
        np.testing.assert_array_equal(part, expected)


def test_wrong_labels_of_digits_are_found():
    digits = load_digits()
    rng = np.random.default_rng(0)
    features = np.maximum(digits.data / 16 @ rng.normal(size=(64, 300)) / 8 + 0.3 * rng.normal(size=300), 0)
    labels = digits.target.copy()
    wrong = rng.random(len(labels)) < 0.05
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    targets = np.eye(10)[labels] - 0.1
    train, validation = (
        Labeled(ArrayTiles(features[part]), targets[part]) for part in (slice(1500), slice(1500, None))
    )
    made = head_information(train, validation, Converged(1.0, "sum"))
    found = wrong_labels(made.held_out, labels[:1500])
    assert roc_auc_score(wrong[:1500], found.scores) > 0.99
    assert found.number == pytest.approx(wrong[:1500].sum(), rel=0.15)
    # What was labeled wrongly harms: without it the loss falls.
    assert np.median(made.loss[:1500][wrong[:1500]]) < 0 < np.median(made.loss[:1500][~wrong[:1500]])


def test_lost_digits_are_said():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(9, 4))
    features[:, 3] = features[:, 0] + 1e-5 * rng.normal(size=9)
    train, validation = Labeled(ArrayTiles(features), rng.normal(size=(9, 2))), problem(m=3, k=2)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = head_information(train, validation, Converged())
    assert 1e8 < made.condition < 1e13
    # Features that differ by less count as equal, and are one direction.
    features[:, 3] = features[:, 0] + 1e-8 * rng.normal(size=9)
    assert head_information(train, validation, Converged()).condition < 1e3


def test_bad_input_is_refused():
    train, validation = problem()
    with pytest.raises(InvalidInput, match=r"train.targets has shape \(8,\)"):
        head_information(Labeled(train.features, np.ones(8)), validation, Converged())
    with pytest.raises(InvalidInput, match="has 5 rows, the residual has shape"):
        head_information(train, Labeled(validation.features, np.ones((4, 3))), Converged())
    with pytest.raises(InvalidInput, match="sigma is 0"):
        head_information(train, validation, Converged(), sigma=0.0)
