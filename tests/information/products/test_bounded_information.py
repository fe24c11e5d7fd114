"""Leave-one-out from products, against really leaving out, within the errors that it states."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infojax import Converged, GradientDescent, GradientFlow
from infojax.errors import InvalidInput, OverBudget, PrecisionWarning
from infojax.information import from_kernels, from_products
from infojax.linearized.leave_out.brute_force import descended_leave_out, submatrix_leave_out

ONE = jax.devices()[:1]


def problem(n, m, k, rank, seed):
    """Kernels of a random linear model with a decaying spectrum, its Jacobians, and a residual."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n + m, k, rank)) * np.geomspace(1.0, 0.03, rank)
    j, j_star = points[:n].reshape(n * k, rank), points[n:].reshape(m * k, rank)
    return j, j_star, rng.normal(size=n * k)


def training_of(kind, kernel, examples, convention, decay):
    top = np.linalg.eigvalsh(kernel)[-1]
    scale = examples - 1 if convention == "mean" else 1
    rate = 0.8 / (top / scale + decay * examples / scale)
    return {
        "descent": GradientDescent(200, rate, decay, convention),
        "near instability": GradientDescent(60, 2.4 * rate, decay, convention),
        "few steps": GradientDescent(7, rate, decay, convention),
        "one step": GradientDescent(1, rate, decay, convention),
        "flow": GradientFlow(500.0, rate, decay, convention),
        "converged": Converged(decay, convention),
    }[kind]


def within_errors(made, brute, sigma=1.0, factor=1.0):
    """Both scores are off by no more than stated; returns the errors stated, relative to the largest scores."""
    stated = []
    for ours, error, theirs in (
        (made.si, made.si_error, brute[0] / 2),
        (made.f_si, made.f_si_error, brute[1] / (2 * sigma**2)),
    ):
        assert (np.abs(ours - theirs) <= factor * error + 1e-13 * theirs.max()).all()
        stated.append(error.max() / theirs.max())
    return stated


EXHAUSTIVE = [
    pytest.param(kind, marks=pytest.mark.slow) for kind in ("near instability", "few steps", "one step", "converged")
]


@pytest.mark.parametrize("kind", ["descent", "flow", *EXHAUSTIVE])
@given(
    convention=st.sampled_from(["sum", "mean"]),
    decay=st.sampled_from([0.0, 0.7]),
    n=st.sampled_from([2, 7]),  # few shapes: each is compiled once
    k=st.sampled_from([1, 3]),
    rank=st.integers(2, 60),
    tolerance=st.sampled_from([1e-3, 1e-6, 1e-9]),
    seed=st.integers(0, 10**6),
)
@example(convention="mean", decay=0.0, n=7, k=3, rank=60, tolerance=1e-9, seed=0)
def test_is_within_its_errors(kind, convention, decay, n, k, rank, tolerance, seed):
    # At t = ∞ without decay the kernel has to be positive definite.
    rank = max(rank, 2 * n * k) if kind == "converged" and decay == 0 else rank
    j, j_star, r = problem(n, 3, k, rank, seed)
    kernel, cross = j @ j.T, j_star @ j.T
    how = {"outputs": k, "training": training_of(kind, kernel, n, convention, decay)}
    made = from_products(kernel, cross, r, tolerance=tolerance, devices=ONE, **how)
    brute = submatrix_leave_out(kernel, cross, r, np.arange(n)[:, None], **how)
    stated = within_errors(made, brute, factor=1.0 if made.bounded else 3.0)
    assert stated[0] <= max(20 * tolerance, 1e-8)


@pytest.mark.parametrize("convention", ["sum", "mean"])
@pytest.mark.parametrize("kind", ["descent", "converged"])
def test_groups_of_different_sizes(convention, kind):
    n, k = 12, 2
    j, j_star, r = problem(n, 4, k, 60, seed=5)
    kernel, cross = j @ j.T, j_star @ j.T
    how = {"outputs": k, "training": training_of(kind, kernel, n - 5, convention, 0.7)}
    groups = [np.array([0]), np.array([3, 1, 7]), np.array([3, 4, 5, 10, 11])]
    made = from_products(kernel, cross, r, sigma=0.5, groups=groups, tolerance=1e-9, devices=ONE, **how)
    brute = submatrix_leave_out(kernel, cross, r, groups, **how)
    assert max(within_errors(made, brute, sigma=0.5)) < 1e-6


def test_equals_descent_on_parameters():
    j, j_star, r = problem(10, 4, 1, 25, seed=3)
    how = {"outputs": 1, "training": training_of("descent", j @ j.T, 10, "mean", 0.0)}
    made = from_products(j @ j.T, j_star @ j.T, r, tolerance=1e-9, devices=ONE, **how)
    within_errors(made, descended_leave_out(j, j_star, r, np.arange(10)[:, None], **how))


def kernels(n=30, seed=8):
    j, j_star, r = problem(n, 5, 1, 80, seed)
    return j @ j.T, j_star @ j.T, r, {"training": training_of("descent", j @ j.T, n, "mean", 0.0)}


@pytest.mark.parametrize(
    "n", [pytest.param(30, marks=pytest.mark.slow), 32]
)  # divisible among the four devices, and not
@pytest.mark.parametrize("training", [None, Converged()])
def test_devices_agree(n, training):
    kernel, cross, r, how = kernels(n)
    how = how if training is None else {"training": replace(training, decay=0.3)}
    spread = from_products(kernel, cross, r, tolerance=1e-12, block=8, devices=jax.devices(), **how)
    alone = from_products(kernel, cross, r, tolerance=1e-12, devices=ONE, **how)
    assert len(jax.devices()) == 4
    for a, b in ((spread.si, alone.si), (spread.f_si, alone.f_si)):
        np.testing.assert_allclose(a, b, rtol=1e-10)


class Rows:
    """A kernel of which only slices of rows can be had, like one on disk; keeps the largest that was."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.largest = array, array.shape, array.dtype, 0

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        made = self.array[rows]
        self.largest = max(self.largest, len(made))
        return made


def test_streams_rows_and_takes_functions(tmp_path, monkeypatch):
    monkeypatch.setattr("infojax.linearized.products.products.STREAMED", 7 * 30 * 8)
    kernel, cross, r, how = kernels()
    expected = from_kernels(kernel, cross, r, **how)
    how["tolerance"] = 1e-9
    kernel.tofile(tmp_path / "kernel")
    rows, mapped = Rows(kernel), np.memmap(tmp_path / "kernel", float, "r", shape=kernel.shape)
    made = [
        from_products(rows, Rows(cross), r, budget=1, block=10, **how),
        from_products(mapped, cross, r, budget=1, block=10, **how),
        from_products(mapped, cross, r, block=10, devices=ONE, **how),
        from_products(lambda x: kernel @ np.asarray(x), cross, r, block=10, **how),
    ]
    for scores in made:
        np.testing.assert_allclose(scores.f_si, expected.f_si, rtol=1e-8)
        np.testing.assert_allclose(scores.si, expected.si, rtol=1e-8)
    assert rows.largest == 7


def test_some_examples_in_any_order():
    kernel, cross, r, how = kernels()
    every = from_kernels(kernel, cross, r, **how)
    some = from_products(kernel, cross, r, examples=[7, 0, 29], devices=ONE, **how)
    np.testing.assert_allclose(some.si, every.si[[7, 0, 29]], rtol=1e-8)
    twice = from_products(kernel, cross, r, examples=np.array([3, 3]), devices=ONE, **how)
    assert twice.si[0] == twice.si[1]


@pytest.mark.parametrize("training", [GradientFlow(3.0), pytest.param(Converged(), marks=pytest.mark.slow)])
def test_float32_states_its_rounding(training):
    kernel, cross, r, _ = kernels()
    kernel, cross, how = kernel.astype(np.float32), cross.astype(np.float32), {"training": replace(training, decay=0.3)}
    expected = from_kernels(kernel.astype(float), cross.astype(float), r, **how)
    made = from_products(kernel, cross, r, dtype=np.float32, devices=ONE, **how)
    stated = within_errors(made, (2 * expected.si, 2 * expected.f_si))
    assert 1e-7 < stated[0] < 0.1


def test_interrupted_run_goes_on(tmp_path):
    kernel, cross, r, how = kernels()
    calls, allowed = [], [120]

    def multiply(x):
        calls.append(x.shape)
        if len(calls) > allowed[0]:
            raise KeyboardInterrupt
        return kernel @ np.asarray(x)

    settings = {"block": 6, "checkpoint": tmp_path / "kept.npz", **how}
    with pytest.raises(KeyboardInterrupt):
        from_products(multiply, cross, r, **settings)
    assert (tmp_path / "kept.npz").exists()
    allowed[0], calls[:] = 10**6, []
    resumed = from_products(multiply, cross, r, **settings)
    fewer, calls[:] = len(calls), []
    np.testing.assert_array_equal(resumed.si, from_products(multiply, cross, r, block=6, **how).si)
    assert fewer < len(calls)
    with pytest.raises(InvalidInput, match="belongs to other data"):
        from_products(multiply, cross, 2 * r, **settings)
    with pytest.raises(InvalidInput, match="belongs to other data"):
        from_products(multiply, cross, r, **settings | {"training": replace(how["training"], decay=0.1)})


GOOD = {"training": GradientFlow(1.0)}
KERNEL, CROSS, R = np.diag([1.0, 2.0, 3.0]), np.ones((2, 3)), np.ones(3)


@pytest.mark.parametrize(
    ("kernel", "cross", "residual", "settings", "message"),
    [
        (KERNEL, CROSS, np.array([1.0, np.nan, 0.0]), {}, "residual has 1 NaN"),
        (KERNEL, CROSS * np.inf, R, {}, "validation_kernel has NaN or infinite"),
        (KERNEL * np.nan, CROSS, R, {}, "training kernel has NaN"),
        (KERNEL, CROSS, np.ones(4), {}, "Shapes do not fit"),
        (np.ones((3, 2)), CROSS, R, {}, "Shapes do not fit"),
        (KERNEL, CROSS[0], R, {}, r"validation_kernel has shape \(3,\)"),
        (lambda x: x[:2], CROSS, R, {}, "must return Θ X, of X's shape"),
        (KERNEL + np.triu(np.ones((3, 3)), 1), CROSS, R, {}, "not symmetric"),
        (KERNEL * 0, CROSS, R, {}, "largest eigenvalue is 0"),
        (np.diag([1.0, 2.0, -3.0]), CROSS, R, {"training": GradientFlow(200.0)}, "not positive semi-definite"),
        (KERNEL, CROSS, R, {"training": GradientDescent(9, 2.0)}, r"η s_max = 3"),
        (np.diag([1.0, 2.0, 0.0]), CROSS, R, {"training": Converged()}, "singular.*decay > 0"),
        (np.ma.masked_array(KERNEL, mask=KERNEL > 2), CROSS, R, {}, "kernel has 1 masked of 9"),
        (KERNEL, np.ma.masked_array(CROSS, mask=CROSS > 0), R, {}, "validation_kernel has 6 masked"),
        (KERNEL, CROSS, np.ma.masked_array(R, mask=R > 0), {}, "residual has 3 masked"),
        (KERNEL, CROSS[..., None, None], R, {}, r"transpose\(0, 2, 1, 3\)"),
        (KERNEL, CROSS, R, {"examples": np.ma.masked_array([0, 1], mask=[0, 1])}, "examples has 1 masked"),
        (KERNEL, CROSS, R, {"examples": [0, 3]}, "different example numbers from 0 to 2"),
        (KERNEL, CROSS, R, {"examples": []}, "one or more"),
        (KERNEL, CROSS, R, {"examples": [0], "groups": [[1]]}, "both given"),
        (KERNEL, CROSS, R, {"tolerance": 0.0}, "tolerance is 0.0"),
        (KERNEL, CROSS, R, {"dtype": np.float16}, "dtype is float16"),
        (KERNEL, CROSS, R, {"block": 0}, "block is 0"),
    ],
)
def test_bad_input_is_named(kernel, cross, residual, settings, message):
    with pytest.raises(InvalidInput, match=message):
        from_products(kernel, cross, residual, devices=ONE, **GOOD | settings)


@pytest.mark.slow
def test_endless_training_is_refused():
    with pytest.raises(OverBudget, match="more than 1,048,576 terms"):
        from_products(KERNEL, CROSS, R, devices=ONE, training=GradientFlow(1e15))


@pytest.mark.slow
def test_the_rounding_of_a_float32_kernel_is_in_the_errors():
    rng = np.random.default_rng(0)
    j, y = rng.normal(size=(28, 60)) / 8, rng.normal(size=20)
    j[16:20] = j[:4] + 0.01 / 8 * rng.normal(size=(4, 60))
    kernel, cross = j[:20] @ j[:20].T, j[20:] @ j[:20].T
    exact = from_kernels(kernel, cross, y, training=Converged())
    with pytest.warns(PrecisionWarning, match="float64"):
        made = from_products(kernel.astype(np.float32), cross.astype(np.float32), y, training=Converged(), devices=ONE)
    assert (np.abs(made.si - exact.si) < made.si_error).all()
    assert (np.abs(made.f_si - exact.f_si) < made.f_si_error).all()
    from_products(kernel, cross, y, training=Converged(), devices=ONE)  # of float64 there is no warning
