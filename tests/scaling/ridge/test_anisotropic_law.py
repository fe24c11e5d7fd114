import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import (
    RidgeProblem,
    anisotropic_law,
    keep_easy,
    keep_hard,
    power_spectrum,
    ridge_law,
    simulate_anisotropic,
    soft,
)

RNG = np.random.default_rng(0)
D = 60
TRUTH, PRUNER, GENERATOR = RNG.normal(size=(3, D)) + 2 * RNG.normal(size=D)
CASES = [
    (keep_hard(0.3), {}),
    (keep_easy(0.4), {"label_aware": True, "flips": 0.1}),
    (soft(0.3, 2.0), {}),
    (keep_hard(0.4), {"labels": "linear", "noise": 0.5}),
]


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


@pytest.mark.parametrize(("selection", "other"), CASES)
def test_one_eigenvalue_is_the_isotropic_law(selection, other):
    samples, ridge = np.array([40, 100, 600]), np.array([[0.0], [0.05]])
    law = anisotropic_law(
        selection, spectrum=np.full(D, 2.0), truth=TRUTH, pruner=PRUNER, generator=GENERATOR,
        samples=samples, ridge=2 * ridge, **other,
    )  # fmt: skip
    problem = RidgeProblem(
        selection, pruner=cosine(PRUNER, TRUTH), generator=cosine(GENERATOR, TRUTH),
        pruner_generator=cosine(PRUNER, GENERATOR), ratio=D / samples, ridge=ridge, **other,
    )  # fmt: skip
    isotropic = ridge_law(problem)
    np.testing.assert_allclose(np.stack(law), np.stack(isotropic), rtol=1e-8)


@pytest.mark.parametrize(("selection", "other"), CASES)
def test_law_and_simulation_agree(selection, other):
    rng = np.random.default_rng(1)
    truth, pruner, generator = rng.normal(size=(3, 200))
    setting = {"spectrum": power_spectrum(200, 0.6), "truth": truth, "pruner": pruner + 2 * truth, "samples": 400}
    setting |= {"generator": generator + 2 * truth, "ridge": 0.02} | other
    law = anisotropic_law(selection, **setting)
    measured = simulate_anisotropic(selection, **setting, repeats=24, key=jax.random.key(0))
    for name, value in law._asdict().items():
        found, stderr = getattr(measured.mean, name), getattr(measured.stderr, name)
        assert abs(found - value) < max(4 * stderr, 0.05 * abs(value)), name


def test_effective_ridge_by_iteration():
    """δ = 1/n tr Σ(tΣ + λ)⁻¹, t = p/(1 + δ), iterated; the law's overlap in the direction of a parallel pruner."""
    spectrum, n, ridge, p = power_spectrum(D, 1.2), 150, 0.01, 1.0
    delta = 0.0
    for _ in range(10_000):
        delta = np.sum(spectrum / (p / (1 + delta) * spectrum + ridge)) / n
    t = p / (1 + delta)
    root = np.sqrt(spectrum)
    u = root * TRUTH / np.linalg.norm(root * TRUTH)
    c = np.sqrt(2 / np.pi)
    mean = root * np.linalg.solve(np.diag(t * spectrum + ridge), root * u * c / (1 + delta))
    a, v = u @ mean, np.sum(spectrum**2 / (t * spectrum + ridge) ** 2) / n
    spread = (mean @ mean - a**2 + v * (1 - 2 * a * c + a**2) / (1 + delta) ** 2) / (1 - v * p / (1 + delta) ** 2)
    law = anisotropic_law(keep_hard(1.0), spectrum=spectrum, truth=TRUTH, pruner=TRUTH, samples=n, ridge=ridge)
    np.testing.assert_allclose(law.norm**2, a**2 + spread, rtol=1e-8)
    np.testing.assert_allclose(law.overlap, a / np.sqrt(a**2 + spread), rtol=1e-8)


def test_derivatives():
    def error(samples, ridge):
        given = {"spectrum": power_spectrum(D, 1.2), "truth": TRUTH, "pruner": PRUNER}
        return anisotropic_law(keep_hard(0.4), **given, samples=samples, ridge=ridge).error

    with float64():
        found = jax.jit(jax.grad(error, argnums=(0, 1)))(jnp.asarray(150.0), jnp.asarray(0.01))
    slopes = [
        (error(150 + 1e-3, 0.01) - error(150 - 1e-3, 0.01)) / 2e-3,
        (error(150, 0.01 + 1e-6) - error(150, 0.01 - 1e-6)) / 2e-6,
    ]
    np.testing.assert_allclose(found, slopes, rtol=1e-4)


GIVEN = {"spectrum": np.ones(5), "truth": np.ones(5), "pruner": np.ones(5), "samples": 10, "ridge": 0.1}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"pruner": np.ones(4)}, "one length d"),
        ({"spectrum": np.array([1.0, 1, 1, 1, -1])}, "eigenvalues ≥ 0"),
        ({"pruner": np.zeros(5)}, "the pruner has variance 0"),
        ({"spectrum": np.array([0.0, 1, 1, 1, 1]), "truth": np.eye(5)[0]}, "the truth has variance 0"),
        ({"samples": 0}, r"samples=0\.0"),
        ({"labels": "linear", "flips": 0.1}, "is for labels='sign'"),
    ],
)
def test_bad_arguments_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        anisotropic_law(keep_hard(0.3), **(GIVEN | wrong))
    with pytest.raises(InvalidInput, match="without weights"):
        anisotropic_law(soft(0.3, 1.0, weighted=True), **GIVEN)
