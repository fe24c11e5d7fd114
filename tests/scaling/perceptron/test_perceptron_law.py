from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad
from scipy.special import erfinv, ndtr, ndtri

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import PerceptronProblem, named_rule
from infojax.scaling.perceptron.margins import averages, kept_examples
from infojax.scaling.perceptron.perceptron_law import perceptron_law

rules = st.sampled_from(["hard", "easy"])
ALPHA = np.geomspace(0.2, 100, 12)
FRACTION = np.geomspace(0.02, 1, 9)


def law_of(alpha, kept, angle=0.0, rule="hard"):
    return perceptron_law(PerceptronProblem(named_rule(rule, kept), alpha=alpha, angle=angle))


def gauss(t):
    return np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)


def test_golden_values():
    """From an independent maximisation of the margin, which knows the margin to 1e-8 and the error to 3e-8."""
    law = law_of(alpha=np.array([2.0, 2.0, 2.5]), kept=np.array([1.0, 0.5, 0.001]))
    np.testing.assert_allclose(law.error, [0.18847862, 0.13609711, 0.00024287], atol=3e-8)
    np.testing.assert_allclose(law.margin, [0.45457756, 0.25015195, 0.00041145], atol=1e-8)
    tilted = law_of(alpha=4.0, kept=0.5, angle=20)
    np.testing.assert_allclose(tilted, [0.07059450, 0.13464847, 0.97550764], atol=1e-8)


def test_values_in_forty_digits():
    """The same two equations solved in 40 digits, far out and on both sides of the cliff."""
    hard = law_of(alpha=np.array([2.01, 1.99, 5e4]), kept=np.array([1e-3, 1e-4, 2e-5]))
    np.testing.assert_allclose(hard.error, [0.0016301767530521942, 0.4936539916383041, 2.0019557271096743e-10], 1e-12)
    easy = law_of(alpha=np.array([8e4, 0.01]), kept=np.array([1e-4, 0.3]), rule="easy")
    np.testing.assert_allclose(easy.error, [1.2111366030309397e-6, 0.45076816073558937], 1e-12)


def saddle_point(alpha, fraction, overlap, margin):
    """Residuals of the paper's two equations at θ = 0, keep hard (arXiv 2206.14486, Appendix A)."""
    gamma, rest = np.sqrt(2) * erfinv(fraction), 1 - overlap**2

    def first(t):
        outside = np.exp(-((overlap * t) ** 2 + gamma * (gamma - 2 * overlap * t)) / (2 * rest))
        return gauss(t) * (np.exp(-((overlap * t) ** 2) / (2 * rest)) - outside) * (margin - t)

    def second(t):
        tails = ndtr(overlap * t / np.sqrt(rest)) - ndtr((overlap * t - gamma) / np.sqrt(rest))
        return gauss(t) * tails * (margin - t) ** 2

    one, two = (quad(f, margin - 12, margin, limit=400, epsabs=1e-13, points=[0])[0] for f in (first, second))
    scale = 2 * alpha / fraction
    return overlap - scale * one / np.sqrt(2 * np.pi * rest), rest - scale * two


@given(alpha=st.floats(0.3, 8), fraction=st.floats(0.1, 0.99))
def test_saddle_point_equations_hold(alpha, fraction):
    law = law_of(alpha=alpha, kept=fraction)
    residuals = saddle_point(alpha, fraction, float(law.overlap), float(law.margin))
    np.testing.assert_allclose(residuals, 0, atol=1e-9)


def tilted_saddle_point(alpha, fraction, angle, overlap, probe_overlap, margin):
    """Residuals of the paper's three equations at θ > 0, keep hard."""
    R, rho, kappa, gamma = overlap, probe_overlap, margin, np.sqrt(2) * erfinv(fraction)
    cosine, square = np.cos(angle), np.sin(angle) ** 2
    Lambda = np.sqrt(square - R**2 - rho**2 + 2 * rho * R * cosine)
    rest = 1 - rho**2

    def delta(t, z):
        return (z**2 * (rho**2 + cosine**2 - 2 * rho * R * cosine) + 2 * t * z * (R * cosine - rho) + t**2 * square) / (
            2 * Lambda**2
        )

    def known(t, z):
        """N(t; ρz, 1 − ρ²) H(Γ/(√(1−ρ²)Λ))"""
        Gamma = z * (rho * R - cosine) - t * (R - rho * cosine)
        return gauss((t - rho * z) / np.sqrt(rest)) / np.sqrt(rest) * ndtr(-Gamma / (np.sqrt(rest) * Lambda))

    def third(t, z):
        edge = np.exp(-delta(t, z)) / (2 * np.pi * Lambda) * (rho * R - cosine) / rest
        return (known(t, z) * (z - rho * t) / rest + edge) * (kappa - t)

    def mean(f):
        weighted = dblquad(lambda t, z: gauss(z) / fraction * f(t, z), -gamma, gamma, kappa - 9, kappa, epsabs=1e-10)
        return weighted[0]

    return (
        (R - rho * cosine) / square - alpha / (np.pi * Lambda) * mean(lambda t, z: np.exp(-delta(t, z)) * (kappa - t)),
        1
        - (rho**2 + R**2 - 2 * rho * R * cosine) / square
        - 2 * alpha * mean(lambda t, z: known(t, z) * (kappa - t) ** 2),
        (rho - R * cosine) / square - 2 * alpha * mean(third),
    )


@pytest.mark.parametrize(("alpha", "fraction", "angle"), [(4.0, 0.5, 20.0), (2.0, 0.7, 40.0), (1.0, 0.3, 10.0)])
def test_tilted_saddle_point_equations_hold(alpha, fraction, angle):
    from infojax.scaling.perceptron.solver import largest_margin

    law = law_of(alpha=alpha, kept=fraction, angle=angle)
    angle = np.radians(angle)
    with float64():
        kept = kept_examples(jnp.asarray(fraction), jnp.asarray(angle), "hard")
        student = jax.jit(largest_margin, static_argnums=2)(jnp.asarray(alpha), kept, "hard")
    c = np.asarray(student.c)
    norm = np.sqrt(1 + c @ c)
    probe_overlap = (c @ [np.cos(angle), np.sin(angle)]) / norm
    np.testing.assert_allclose(law.overlap, c[0] / norm, rtol=1e-9)
    residuals = tilted_saddle_point(alpha, fraction, angle, float(law.overlap), probe_overlap, float(law.margin))
    np.testing.assert_allclose(residuals, 0, atol=1e-7)


@settings(max_examples=8)
@given(
    keep=rules,
    k=st.floats(-1, 3),
    along=st.floats(0.1, 4),
    across=st.floats(-3, 3),
    fraction=st.floats(0.1, 0.9),
    angle=st.floats(0.05, 1.5),
)
def test_averages_are_integrals(keep, k, along, across, fraction, angle):
    """E h and E h' against a fine sum over the plane; H = (t, w), and z = t cos θ + w sin θ decides."""
    with float64():
        kept = kept_examples(jnp.asarray(fraction), jnp.asarray(angle), keep)
        found = jax.jit(averages, static_argnums=3)(jnp.asarray(k), jnp.asarray([along, across]), kept, keep)
    gamma = np.sqrt(2) * erfinv(fraction) if keep == "hard" else -ndtri(fraction / 2)
    np.testing.assert_allclose(kept.threshold, gamma, rtol=1e-10)
    nodes, weights = np.polynomial.legendre.leggauss(60)

    def line(t):
        """Mean over w of (h, h', h″w) on the line at t; w is cut where z = ±γ."""
        cuts = (np.array([-gamma, gamma]) - t * np.cos(angle)) / np.sin(angle)
        total = np.zeros(3)
        for low, high in [cuts] if keep == "hard" else [(-9, cuts[0]), (cuts[1], 9)]:
            edges = np.linspace(max(low, -9), min(high, 9), 4)
            for a, b in pairwise(edges):
                if b > a:
                    w = a + (b - a) * (nodes + 1) / 2
                    v = k - along * t - across * w
                    h = (1 + v**2) * ndtr(v) + v * gauss(v)
                    values = np.stack([h, 2 * (v * ndtr(v) + gauss(v)), 2 * ndtr(v) * w])
                    total += values @ (weights * gauss(w)) * (b - a) / 2
        return total * 2 / fraction * gauss(t)

    edges = np.linspace(0, 9, 13)
    steps = [(a + (b - a) * (nodes + 1) / 2, weights * (b - a) / 2) for a, b in pairwise(edges)]
    expected = sum(w @ np.stack([line(x) for x in t]) for t, w in steps)
    measured = np.array([found.h, found.slope, found.bend_H[1]])
    np.testing.assert_allclose(measured, expected, atol=2e-6 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("keep", ["hard", "easy"])
def test_no_cell_of_the_grid_is_without_an_answer(keep):
    for alpha in (ALPHA[:, None], ALPHA[:, None] * FRACTION):  # of what is kept, of the pool
        law = law_of(alpha=alpha, kept=FRACTION, rule=keep)
        assert np.isfinite(np.stack(law)).all()
        assert ((law.error > 0) & (law.error < 0.5)).all()
        # more examples of the same kind never hurt, and never widen the margin
        assert (np.diff(law.error, axis=0) < 0).all()
        assert (np.diff(law.margin, axis=0) < 0).all()
    # of a given pool, keeping more narrows the margin
    assert (np.diff(law.margin, axis=1) < 1e-9).all()


@pytest.mark.parametrize("keep", ["hard", "easy"])
def test_no_probe_without_error_is_without_an_answer(keep):
    """Over eight decades of both, and close to the cliff at 2 kept hard examples a dimension."""
    rng = np.random.default_rng(0)
    alpha = np.concatenate([10 ** rng.uniform(-3, 5, 10_000), rng.uniform(1.98, 2.02, 10_000)])
    law = law_of(alpha=alpha, kept=10 ** rng.uniform(-5, 0, 20_000), rule=keep)
    assert ((law.error > 0) & (law.error < 0.5) & (law.margin > 0)).all()


@pytest.mark.parametrize("keep", ["hard", "easy"])
def test_a_tilted_probe_gives_an_answer_too_and_a_larger_one_at_the_end(keep):
    alpha, fraction = ALPHA[::4][:, None, None], FRACTION[::3][:, None]
    angles = np.array([0.01, 5, 40, 89, 90])
    law = law_of(alpha=alpha, kept=fraction, angle=angles, rule=keep)
    assert np.isfinite(np.stack(law)).all()
    assert (np.diff(law.error, axis=0) < 0).all()
    np.testing.assert_allclose(law.error, np.arccos(law.overlap) / np.pi, rtol=1e-5)


@pytest.mark.parametrize("keep", ["hard", "easy"])
def test_small_angles_tend_to_none(keep):
    cells = {"alpha": np.array([[0.3], [2.0], [10.0]]), "kept": np.array([0.05, 0.4, 0.95]), "rule": keep}
    straight, tilted = np.stack(law_of(**cells)), np.stack(law_of(**cells, angle=np.degrees(1e-7)))
    np.testing.assert_allclose(tilted, straight, rtol=1e-9)


def test_keeping_all_asks_no_probe():
    law = law_of(alpha=3.0, kept=1.0, angle=np.array([0.0, 17.0, 90.0]))
    easy = law_of(alpha=3.0, kept=1.0, rule="easy")
    np.testing.assert_allclose(law.error, easy.error, rtol=1e-9)


def test_derivatives_are_finite_differences():
    def error(x):
        return law_of(alpha=x[0], kept=x[1], angle=x[2]).error

    point, h = np.array([3.0, 0.4, 20.0]), 1e-5
    with float64():
        slopes = jax.grad(error)(jnp.asarray(point))
    for i, step in enumerate(h * np.eye(3)):
        np.testing.assert_allclose(slopes[i], (error(point + step) - error(point - step)) / (2 * h), rtol=1e-6)


@pytest.mark.parametrize("keep", ["hard", "easy"])
def test_derivatives_of_a_probe_without_error(keep):
    def error(alpha, fraction):
        return law_of(alpha=alpha, kept=fraction, rule=keep).error

    h = 1e-5
    with float64():
        slopes = jax.jit(jax.grad(error, argnums=(0, 1)))(jnp.asarray(3.0), jnp.asarray(0.4))
    expected = [
        (error(3 + h, 0.4) - error(3 - h, 0.4)) / (2 * h),
        (error(3.0, 0.4 + h) - error(3.0, 0.4 - h)) / (2 * h),
    ]
    np.testing.assert_allclose(slopes, expected, rtol=1e-7)


def test_traced_in_float32_close_to_float64():
    alpha = np.array([0.5, 3.0])
    exact = law_of(alpha=alpha, kept=0.3)
    assert all(isinstance(field, np.ndarray) and field.dtype == np.float64 for field in exact)
    single = jax.jit(lambda a: law_of(alpha=a, kept=0.3))(np.float32(alpha))
    assert single.error.dtype == jnp.float32
    np.testing.assert_allclose(single.error, exact.error, rtol=1e-5)


def test_many_are_as_one():
    """Blocks are filled up, and an empty array is no problem."""
    alpha = np.geomspace(0.3, 30, 70)
    many = law_of(alpha=alpha, kept=0.5)
    one = law_of(alpha=alpha[-1], kept=0.5)
    np.testing.assert_allclose(many.error[-1], one.error, rtol=1e-12)
    assert one.error.shape == ()
    assert law_of(alpha=np.ones((0, 3)), kept=0.5).error.shape == (0, 3)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"alpha": 0.0}, r"alpha=0\.0 .*above 0"),
        ({"alpha": np.inf}, "alpha=inf"),
        ({"kept": 0.0}, r"p is 0\.0.*\(0, 1\]"),
        ({"kept": np.array([0.5, 1.2])}, r"p is 1\.2"),
        ({"angle": -0.1}, r"angle=-0\.1"),
        ({"angle": 90.1}, r"angle=90\.1 .*degrees"),
        ({"angle": np.nan}, "angle=nan"),
        ({"rule": "medium"}, "no rule 'medium'; rules are hard"),
        ({"rule": "soft"}, "keep_hard, keep_easy, keep_random"),
        ({"alpha": np.ones(2), "kept": np.full(3, 0.5)}, r"kept \(3,\), alpha \(2,\)"),
    ],
)
def test_bad_arguments_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        law_of(**{"alpha": 2.0, "kept": 0.5, **wrong})
