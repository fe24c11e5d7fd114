"""Unique information by influence functions: against the exact leave-one-out, and against one Newton step by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax import Converged, GradientFlow
from infojax.errors import InvalidInput
from infojax.information import from_kernels, influence_from_kernels, influence_information
from infojax.linearized import spectrum


def kernels(n, m, k, rank, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=((n + m) * k, rank)) * np.geomspace(1.0, 0.1, rank)
    return points[: n * k] @ points[: n * k].T, points[n * k :] @ points[: n * k].T, rng.normal(size=n * k)


@pytest.mark.slow
@given(
    n=st.sampled_from([2, 7, 20]),
    rank=st.integers(1, 40),
    decay=st.sampled_from([0.01, 1.0, 50.0]),
    seed=st.integers(0, 10**6),
)
def test_exact_leave_one_out_is_influence_over_one_minus_leverage(n, rank, decay, seed):
    theta, cross, r = kernels(n, 4, 1, rank, seed)
    exact = from_kernels(theta, cross, r, training=Converged(decay, "sum"), sigma=0.5)
    estimate = influence_from_kernels(theta, cross, r, training=Converged(decay, "sum"), sigma=0.5)
    # The answers themselves are only defined to the rounding of Θ times its condition number.
    tolerance = max(1e-12, 1e-14 * (np.linalg.norm(theta, 2) / decay + 1))
    rest = decay * np.diag(np.linalg.inv(theta + decay * np.eye(n)))  # 1 − leverage, without cancellation
    for mine, theirs in zip(estimate, exact, strict=True):
        assert np.abs(mine / rest**2 - theirs).max() <= tolerance * theirs.max()


def test_influence_vanishes_with_the_decay_and_the_exact_answer_does_not():
    theta, cross, r = kernels(10, 4, 1, 30, 0)
    decays = np.array([1e-4, 1e-6, 1e-8])
    estimates, exact = (
        [score(theta, cross, r, training=Converged(decay)).si.max() for decay in decays]
        for score in (influence_from_kernels, from_kernels)
    )
    np.testing.assert_allclose(estimates / decays**2, estimates[-1] / decays[-1] ** 2, rtol=0.2)
    np.testing.assert_allclose(exact, exact[-1], rtol=0.1)
    interpolating = influence_from_kernels(theta, cross, r, damping=0.1)
    assert interpolating.si.max() < 1e-20


def dense_information(jacobian, network, params, train, validation, *, training, damping):
    """One Newton step for each left-out example, P × P; decay is towards weights where the loss is then stationary."""
    (x, y), points, convention = train, validation[0], training.convention
    f, j = jacobian(network, params, np.concatenate([x, points]))
    n = len(x)
    rho, j, j_star = f[:n] - y, j[:n], j[n:].reshape(-1, j.shape[2])
    g = np.einsum("ikp,ik->ip", j, rho)
    c = np.einsum("ikp,ikr->pr", j, j)
    pull = -g.mean(0) if convention == "mean" else -g.sum(0)  # decay · (w − w₀) of a converged training
    moves = []
    for i in range(n):
        rest = np.delete(g, i, 0)
        slope = (rest.mean(0) if convention == "mean" else rest.sum(0)) + pull
        h = c / n if convention == "mean" else c
        moves.append(-np.linalg.solve(h + (training.decay + damping) * np.eye(len(c)), slope))
    moves = np.array(moves)
    return np.sum(moves**2, 1) / 2, np.sum((moves @ j_star.T) ** 2, 1) / (2 * len(points))


@pytest.mark.parametrize("convention", ["mean", "sum"])
def test_equals_a_newton_step_in_parameters(make, jacobian, convention):
    given = make("squared")
    setting = {"training": Converged(0.1, convention), "damping": 0.05}
    ours = influence_information(*given, **setting)
    for mine, theirs in zip(ours, dense_information(jacobian, *given, **setting), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10)


def test_groups_times_and_a_kept_spectrum():
    theta, cross, r = kernels(12, 4, 2, 40, 1)
    setting = {"outputs": 2, "training": GradientFlow(time=3.0, decay=0.1), "damping": 0.2}
    kept = influence_from_kernels(spectrum(theta), cross, r, **setting, groups=np.repeat([0, 1, 2], 4))
    listed = influence_from_kernels(theta, cross, r.reshape(12, 2), **setting, groups=[[8, 9, 10, 11]])
    np.testing.assert_allclose(kept.f_si[2], listed.f_si[0], rtol=1e-12)
    single = influence_from_kernels(theta, cross, r, **setting)
    alone = influence_from_kernels(theta, cross, r, **setting, groups=[[3], [5]])
    np.testing.assert_allclose(alone.si, single.si[[3, 5]], rtol=1e-12)


def test_many_validation_points():
    # JAX 0.10.2 miscompiled some reductions of batched products above some 16,000 rows on a CPU.
    theta, cross, r = kernels(6, 40_000, 1, 20, 2)
    all_points = influence_from_kernels(theta, cross, r, training=Converged(0.1)).f_si
    halves = [influence_from_kernels(theta, half, r, training=Converged(0.1)).f_si for half in np.split(cross, 8)]
    np.testing.assert_allclose(all_points, np.mean(halves, axis=0), rtol=1e-12)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"residual": np.array([1.0, np.nan])}, "residual has 1 NaN"),
        ({"validation_kernel": np.ones((1, 3))}, "Shapes do not fit"),
        ({"validation_kernel": np.ma.masked_array([[1.0, 2.0]], mask=[[0, 1]])}, "validation_kernel has 1 masked"),
        ({"train_kernel": np.ma.masked_array(np.eye(2), mask=np.eye(2))}, "training kernel has 2 masked"),
        ({"train_kernel": np.eye(2)[..., None, None]}, r"transpose\(0, 2, 1, 3\)"),
        ({"training": Converged()}, "decay and damping are both 0"),
        ({"sigma": 0.0}, "sigma is 0.0"),
        ({"train_kernel": -np.eye(2)}, "not positive semi-definite"),
    ],
)
def test_bad_input_is_named(changed, message):
    good = {"train_kernel": np.eye(2), "validation_kernel": np.ones((1, 2)), "residual": np.ones(2)}
    good["training"] = Converged(1.0)
    with pytest.raises(InvalidInput, match=message):
        influence_from_kernels(**good | changed)
