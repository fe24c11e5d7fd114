import jax
import numpy as np
import pytest
from scipy.stats import kstest, truncnorm

from infojax.arrays._precision import float64
from infojax.scaling import RidgeProblem, Selection, keep_all, keep_random, soft
from infojax.scaling.selection.pools import directions, draw_kept, draw_pool

ALL = keep_all()


def problem(pruner, generator, pruner_generator, selection=ALL, **others):
    cosines = {"pruner": pruner, "generator": generator, "pruner_generator": pruner_generator}
    return RidgeProblem(selection, ratio=0.5, ridge=0.1, **cosines, **others)


@pytest.mark.parametrize(
    "cosines", [(0.9, 0.6, 0.5), (1.0, 1.0, 1.0), (0.3, 1.0, 0.3), (-0.3, -1.0, 0.3), (0.6, 0.6, 1.0)]
)
def test_directions_have_the_cosines(cosines):
    with float64():
        rows = np.asarray(directions(problem(*cosines)))
    pruner, generator, pruner_generator = cosines
    gram = [[1, pruner_generator, pruner], [pruner_generator, 1, generator], [pruner, generator, 1]]
    np.testing.assert_allclose(rows @ rows.T, gram, atol=1e-12)


@pytest.mark.parametrize("label_aware", [False, True])
@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
def test_drawing_only_what_is_kept_is_drawing_from_the_pool(rule, label_aware):
    """Both against the exact number kept, distribution of the margin, and frequency of positive labels given it."""
    setting, n = problem(0.9, 0.6, 0.5, Selection(rule, 0.3), label_aware=label_aware), 40_000
    with float64():
        pool = draw_pool(jax.random.key(0), setting, n, 4)
        kept = draw_kept(jax.random.key(1), setting, jax.numpy.asarray(float(n)), n // 2, 4)
        inner, outer = float(Selection("hard", 0.3).threshold()), float(Selection("easy", 0.3).threshold())
    law = {
        "hard": truncnorm(0, inner).cdf,
        "easy": truncnorm(outer, 20).cdf,
        "random": truncnorm(0, 20).cdf,
    }[rule]
    counts, seconds = [], []
    for x, y, mask in (pool, kept):
        x, y, mask = np.asarray(x), np.asarray(y), np.asarray(mask) > 0
        # the labels are those of w_g = (½, √¾, 0)
        np.testing.assert_array_equal(y, np.where(0.5 * x[:, 0] + np.sqrt(0.75) * x[:, 1] > 0, 1, -1))
        x, y = x[mask], y[mask]
        if label_aware:
            assert (y * x[:, 0] > 0).all()
        else:
            assert kstest(np.abs(x[:, 0]), law).pvalue > 1e-3
            assert kstest(x[:, 1], "norm").pvalue > 1e-3
            assert abs(len(y) - 0.3 * n) < 5 * np.sqrt(0.3 * 0.7 * n)
        assert kstest(x[:, 2], "norm").pvalue > 1e-3
        counts.append(len(y))
        seconds.append(np.mean(x[:, 0] * x[:, 1]))
    assert abs(counts[0] - counts[1]) < 5 * np.sqrt(2 * 0.3 * n)
    assert abs(seconds[0] - seconds[1]) < 5 * np.sqrt(2 * 4 / counts[0])


@pytest.mark.parametrize("selection", [soft(0.4, -2.0), keep_random(0.4)])
def test_noise_and_flips_know_nothing_of_what_is_kept(selection):
    noisy = problem(1.0, 1.0, 1.0, selection, labels="linear", noise=1.0)
    flipping = problem(1.0, 1.0, 1.0, selection, flips=0.3)
    draws = [draw_pool, lambda *a: draw_kept(*a[:2], jax.numpy.asarray(float(a[2])), a[2], a[3])]
    for draw in draws[: 2 if selection.rule == "random" else 1]:
        with float64():
            linear = draw(jax.random.key(0), noisy, 40_000, 3)
            signs = draw(jax.random.key(0), flipping, 40_000, 3)
        kept = np.asarray(linear.weight) > 0
        noise = (np.asarray(linear.y) - np.asarray(linear.x)[:, 0])[kept]
        flipped = (np.asarray(signs.y) * np.asarray(signs.x)[:, 0] < 0)[kept]
        assert abs(noise.mean()) < 5 / np.sqrt(kept.sum())
        assert abs(noise.std() - 1) < 5 / np.sqrt(2 * kept.sum())
        assert abs(flipped.mean() - 0.3) < 5 * np.sqrt(0.21 / kept.sum())
