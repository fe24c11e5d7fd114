"""Correlations over a sample in which some examples stand for many."""

import numpy as np
import pytest
from scipy import stats

from experiments.unique_information.linearized_vs_retraining import (
    PRESETS,
    Config,
    _chosen,
    _interval,
    _pearson,
    _ranks,
    _weighted_median,
)
from infojax.errors import InvalidInput
from infojax.information import Information

RNG = np.random.default_rng(0)


def test_an_example_that_stands_for_three_counts_as_three():
    a, b, weight = RNG.normal(size=9), RNG.normal(size=9), np.repeat([3.0, 1.0], [6, 3])
    many = np.repeat(np.arange(9), weight.astype(int))
    np.testing.assert_allclose(_pearson(a, b, weight), stats.pearsonr(a[many], b[many]).statistic)
    spearman = _pearson(_ranks(a, weight), _ranks(b, weight), weight)
    np.testing.assert_allclose(spearman, stats.spearmanr(a[many], b[many]).statistic)
    assert _weighted_median(a, weight) == np.sort(a[many])[(len(many) - 1) // 2]


def test_the_most_informative_stand_for_themselves_and_the_drawn_for_the_rest():
    scores = Information(RNG.random(50), RNG.random(50))
    examples, weight = _chosen(Config(n_train=50, left_out=10, most=5), scores)
    most = np.argsort(-scores.si * scores.f_si)[:5]
    assert set(examples[weight == 1]) == set(most)
    assert set(examples[weight > 1]) == set(range(10)) - set(most)
    assert weight.sum() == pytest.approx(50)
    everyone, weight = _chosen(Config(n_train=50), scores)
    assert list(everyone) == list(range(50))
    assert (weight == 1).all()


def test_stratified_correlation_is_that_of_all():
    """Over populations with long tails; a random sample misses it by far more."""
    whole, stratified, plain = [], [], []
    for _ in range(200):
        truth = np.exp(1.5 * RNG.normal(size=500))
        estimate = truth * np.exp(0.3 * RNG.normal(size=500))
        examples, weight = _chosen(Config(n_train=500, left_out=40, most=10), Information(estimate, estimate))
        whole.append(np.corrcoef(truth, estimate)[0, 1])
        stratified.append(_pearson(truth[examples], estimate[examples], weight))
        plain.append(np.corrcoef(truth[:40], estimate[:40])[0, 1])
    assert abs(np.mean(stratified) - np.mean(whole)) < 0.01
    assert np.std(np.subtract(stratified, whole)) < 0.5 * np.std(np.subtract(plain, whole))


def test_interval_covers_and_needs_no_weights():
    truth, estimate = np.exp(RNG.normal(size=40)), np.exp(RNG.normal(size=40))
    for weight in (np.ones(40), np.repeat([2.0, 1.0], [30, 10])):
        low, high = _interval(truth, estimate, weight)
        assert low < _pearson(truth, estimate, weight) < high


@pytest.mark.parametrize("wrong", [{"most": 31}, {"most": -1}, {"left_out": 2}, {"left_out": 58, "most": 10}])
def test_numbers_left_out_are_checked(wrong, tmp_path):
    from dataclasses import replace

    from rich.progress import Progress

    from experiments.unique_information.linearized_vs_retraining import run

    with pytest.raises(InvalidInput, match=r"most is|left_out is"):
        run(replace(PRESETS["quick"], **wrong), tmp_path, Progress(disable=True))
