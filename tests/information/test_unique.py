"""Contour leave-one-out against really leaving out, submatrix by submatrix and step by step."""

import jaxtyping
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infojax import Converged, GradientDescent, GradientFlow
from infojax.errors import InvalidInput
from infojax.information import from_kernels
from infojax.linearized import spectrum
from infojax.linearized.leave_out.brute_force import descended_leave_out, submatrix_leave_out


def problem(n, m, k, rank, seed, duplicate=False):
    """Kernels of a random linear model with a decaying spectrum, its Jacobians, and a residual."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n + m, k, rank)) * np.geomspace(1.0, 0.1, rank)
    if duplicate:
        points[1] = points[0]
    j, j_star = points[:n].reshape(n * k, rank), points[n:].reshape(m * k, rank)
    return j, j_star, rng.normal(size=n * k)


def agree(ours, brute, sigma=1.0, rtol=1e-10):
    weights, functional = brute
    for mine, theirs in ((ours.si, weights / 2), (ours.f_si, functional / (2 * sigma**2))):
        assert np.abs(mine - theirs).max() <= rtol * theirs.max()


def trainings(kernel, examples, convention, decay):
    """The same amount of training by descent, by flow, and without end; descent at 0.8 of the stable step."""
    top = np.linalg.eigvalsh(kernel)[-1]
    scale = examples - 1 if convention == "mean" else 1
    rate = 0.8 / (top / scale + decay * examples / scale)
    return {
        "descent": GradientDescent(200, rate, decay, convention),
        "near instability": GradientDescent(60, 2.2 * rate, decay, convention),
        "few steps": GradientDescent(7, rate, decay, convention),
        "flow": GradientFlow(500.0, rate, decay, convention),
        "converged": Converged(decay, convention),
    }


EXHAUSTIVE = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("near instability", "few steps", "flow")]
# (n, k, parameters): whatever has one of these anew is compiled anew.
SHAPES = [
    pytest.param([(2, 1, 5), (13, 3, 7), (13, 3, 60)], id="three shapes"),
    pytest.param(
        [(n, k, parameters) for n in (2, 5, 8, 13) for k in (1, 3) for parameters in range(2, 61)],
        marks=pytest.mark.slow,
        id="any shape",
    ),
]


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("kind", ["descent", "converged", *EXHAUSTIVE])
@given(
    convention=st.sampled_from(["sum", "mean"]),
    decay=st.sampled_from([0.0, 0.7]),
    which=st.integers(0, 10**6),
    duplicate=st.booleans(),
    seed=st.integers(0, 10**6),
)
@example(convention="mean", decay=0.0, which=0, duplicate=True, seed=0)
@example(convention="sum", decay=0.0, which=1, duplicate=True, seed=1)
@example(convention="sum", decay=0.0, which=2, duplicate=True, seed=1)
def test_equals_submatrices(kind, shapes, convention, decay, which, duplicate, seed):
    n, k, parameters = shapes[which % len(shapes)]
    j, j_star, r = problem(n, 3, k, parameters, seed, duplicate)
    kernel, cross = j @ j.T, j_star @ j.T
    settings = {"outputs": k, "training": trainings(kernel, n, convention, decay)[kind]}
    ours = from_kernels(kernel, cross, r, **settings)
    # At t = ∞ without decay the answer itself is only defined to the rounding of Θ times its condition number.
    s = np.linalg.eigvalsh(kernel)
    condition = s[-1] / s[s > 1e-12 * s[-1]][0] if kind == "converged" and decay == 0 else 1.0
    brute = submatrix_leave_out(kernel, cross, r, np.arange(n)[:, None], **settings)
    agree(ours, brute, rtol=max(1e-10, 1e-14 * condition))


@pytest.mark.parametrize("convention", ["sum", "mean"])
@pytest.mark.parametrize("decay", [0.0, 0.7])
@pytest.mark.parametrize("k", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_equals_descent_on_parameters(convention, decay, k):
    j, j_star, r = problem(n=10, m=4, k=k, rank=25, seed=3)
    training = trainings(j @ j.T, 10, convention, decay)["descent"]
    settings = {"outputs": k, "training": training}
    ours = from_kernels(j @ j.T, j_star @ j.T, r, sigma=0.5, **settings)
    agree(ours, descended_leave_out(j, j_star, r, np.arange(10)[:, None], **settings), sigma=0.5)


@pytest.mark.parametrize("convention", ["sum", "mean"])
@pytest.mark.parametrize("kind", ["descent", "converged", *EXHAUSTIVE[1:]])
@pytest.mark.parametrize("k", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_groups_of_different_sizes(convention, kind, k):
    n = 12
    j, j_star, r = problem(n=n, m=4, k=k, rank=20, seed=5)
    kernel, cross = j @ j.T, j_star @ j.T
    training = trainings(kernel, n - 5, convention, 0.7)[kind]
    settings = {"outputs": k, "training": training}
    groups = [np.array([0]), np.array([3, 1, 7]), np.array([3, 4, 5, 10, 11])]
    ours = from_kernels(kernel, cross, r, groups=groups, **settings)
    agree(ours, submatrix_leave_out(kernel, cross, r, groups, **settings))


def test_labels_make_groups():
    j, j_star, r = problem(n=9, m=4, k=1, rank=20, seed=6)
    labels = np.array([2, 0, 1, 0, 2, 2, 0, 1, 1])
    settings = {"training": GradientFlow(time=3.0, decay=0.1)}
    by_label = from_kernels(j @ j.T, j_star @ j.T, r, groups=labels, **settings)
    by_list = from_kernels(j @ j.T, j_star @ j.T, r, groups=[np.flatnonzero(labels == c) for c in range(3)], **settings)
    np.testing.assert_allclose(by_label.si, by_list.si, rtol=1e-13)


def test_duplicated_example_has_no_information():
    j, j_star, r = problem(n=8, m=4, k=1, rank=12, seed=7, duplicate=True)
    r[1] = r[0]
    scores = from_kernels(j @ j.T, j_star @ j.T, r, training=Converged())
    assert scores.si[:2].max() < 1e-20 * scores.si.max()


def test_one_spectrum_serves_every_time_and_block():
    j, j_star, r = problem(n=13, m=4, k=1, rank=30, seed=8)
    theta = spectrum(j @ j.T)
    for time in (0.1, 10.0, 1e4):
        kept = from_kernels(theta, j_star @ j.T, r, training=GradientFlow(time=time))
        fresh = from_kernels(j @ j.T, j_star @ j.T, r, training=GradientFlow(time=time), block=5)
        np.testing.assert_allclose(kept.f_si, fresh.f_si, rtol=1e-12)


@pytest.mark.slow
def test_long_flow_is_converged():
    j, j_star, r = problem(n=10, m=4, k=1, rank=5, seed=9)
    flow = from_kernels(j @ j.T, j_star @ j.T, r, training=GradientFlow(time=1e9, convention="sum"))
    end = from_kernels(j @ j.T, j_star @ j.T, r, training=Converged(convention="sum"))
    np.testing.assert_allclose(flow.si, end.si, rtol=1e-8, atol=1e-12 * end.si.max())


GOOD = {"training": Converged()}
KERNEL, CROSS, R = np.diag([1.0, 2.0, 3.0]), np.ones((2, 3)), np.ones(3)


@pytest.mark.parametrize(
    ("kernel", "cross", "residual", "settings", "message"),
    [
        (KERNEL, CROSS, np.array([1.0, np.nan, 0.0]), {}, "residual has 1 NaN"),
        (KERNEL, CROSS * np.inf, R, {}, "validation_kernel has 6 NaN or infinite"),
        (KERNEL * np.nan, CROSS, R, {}, "training kernel has NaN"),
        (KERNEL, CROSS, np.ones(4), {}, "Shapes do not fit"),
        (KERNEL, np.ones((2, 4)), R, {}, "Shapes do not fit"),
        (KERNEL, CROSS, R, {"outputs": 2}, "Shapes do not fit"),
        (KERNEL[:1, :1], CROSS[:, :1], R[:1], {}, "leaving one out needs at least 2"),
        (KERNEL, CROSS, R, {"sigma": 0.0}, "sigma is 0.0"),
        (KERNEL, CROSS, R, {"training": GradientDescent(9, 2.0)}, r"η s_max = 3.*below 1.333"),
        (KERNEL - 2 * np.eye(3), CROSS, R, {}, "not positive semi-definite: its smallest eigenvalue is -1"),
        (KERNEL + np.triu(np.ones((3, 3)), 1), CROSS, R, {}, "not symmetric"),
        (np.ones((3, 2)), CROSS, R, {}, "must be square"),
        (KERNEL, CROSS, R, {"groups": [[0, 1, 2]]}, "3 of 3 examples"),
        (KERNEL, CROSS, R, {"groups": [[0], []]}, "Group 1 has 0"),
        (KERNEL, CROSS, R, {"groups": [[0, 3]]}, "different example numbers from 0 to 2"),
        (KERNEL, CROSS, R, {"groups": np.array([0, 1])}, "one integer for each of the 3"),
        (KERNEL, CROSS, R, {"groups": []}, "groups is empty"),
        (np.ma.masked_array(KERNEL, mask=KERNEL > 2), CROSS, R, {}, "training kernel has 1 masked of 9"),
        (KERNEL, np.ma.masked_array(CROSS, mask=CROSS > 0), R, {}, "validation_kernel has 6 masked"),
        (KERNEL, CROSS, np.ma.masked_array(R, mask=R > 0), {}, "residual has 3 masked"),
        (KERNEL[..., None, None], CROSS, R, {}, r"square.*transpose\(0, 2, 1, 3\)\.reshape\(n \* k, m \* k\)"),
        (KERNEL, CROSS[..., None, None], R, {}, r"validation_kernel has .*transpose\(0, 2, 1, 3\)"),
        (KERNEL, CROSS, np.ones((3, 2)), {"outputs": 2}, r"np\.kron\(kernel, np\.eye\(k\)\)"),
        (KERNEL * 1j, CROSS, R, {}, "training kernel is of dtype complex128"),
    ],
)
def test_bad_input_is_named(kernel, cross, residual, settings, message):
    with pytest.raises(InvalidInput, match=message):
        from_kernels(kernel, cross, residual, **GOOD | settings)


def test_kernels_of_neural_tangents_become_matrices_as_the_message_says():
    """(n, m, k, k), as with trace_axes=()."""
    j, j_star = (np.random.default_rng(n).normal(size=(n, 2, 9)) for n in (4, 3))
    four, cross = (np.einsum("icp,jdp->ijcd", left, j) for left in (j, j_star))
    flat = [a.transpose(0, 2, 1, 3).reshape(len(a) * 2, 4 * 2) for a in (four, cross)]
    r = np.random.default_rng(0).normal(size=(4, 2))
    made = from_kernels(*flat, r, outputs=2, **GOOD)
    jacobians = [a.reshape(-1, 9) for a in (j, j_star)]
    known = from_kernels(jacobians[0] @ jacobians[0].T, jacobians[1] @ jacobians[0].T, r, outputs=2, **GOOD)
    np.testing.assert_allclose(made.si, known.si, rtol=1e-9)


@pytest.mark.parametrize("dtype", [">f8", "f4", "f2", "i8", "bfloat16", np.longdouble, object])
def test_kernels_of_every_dtype(dtype, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # users run without type checks
    given = [a.astype(dtype) for a in (KERNEL, CROSS, R)]
    np.testing.assert_array_equal(from_kernels(*given, **GOOD).si, from_kernels(KERNEL, CROSS, R, **GOOD).si)


@pytest.mark.parametrize(
    "make",
    [
        lambda: GradientDescent(0, 0.1),
        lambda: GradientDescent(10, -0.1),
        lambda: GradientFlow(float("inf")),
        lambda: GradientFlow(1.0, float("nan")),
    ],
)
def test_impossible_training_is_refused(make):
    with pytest.raises(InvalidInput, match="must be positive and finite"):
        make()


@pytest.mark.parametrize("training", [Converged(), GradientFlow(time=3.0)])
def test_many_validation_points(training):
    # JAX 0.10.2 miscompiled some reductions of batched products above some 16,000 rows on a CPU.
    j, j_star, r = problem(n=6, m=40_000, k=1, rank=20, seed=10)
    kernel, cross = j @ j.T, j_star @ j.T
    brute = submatrix_leave_out(kernel, cross, r, np.arange(6)[:, None], outputs=1, training=training)
    agree(from_kernels(kernel, cross, r, training=training), brute)
