"""Influence in the dual and without matrices, against P × P matrices; its sign and size, against leaving out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax.arrays._precision import float64
from infojax.data import Dataset
from infojax.errors import InvalidInput, OverBudget
from infojax.information import influence
from infojax.information.influence_functions.solvers import ConjugateGradient, Lissa
from infojax.linearized import Converged
from infojax.models import mlp


def agree(ours, theirs, rtol):
    for mine, reference in zip(ours[:2], theirs, strict=True):
        assert np.abs(mine - reference).max() <= rtol * np.abs(reference).max()


@pytest.mark.parametrize(
    ("loss", "outputs"),
    [
        pytest.param("squared", 3, marks=pytest.mark.slow),
        ("cross_entropy", 3),
        pytest.param("cross_entropy", 2, marks=pytest.mark.slow),
    ],
)
@given(
    damping=st.sampled_from([1e-3, 0.1, 30.0]),
    decay=st.sampled_from([0.0, 0.2]),
    convention=st.sampled_from(["mean", "sum"]),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=8)
def test_dual_equals_dense(make, dense, loss, outputs, damping, decay, convention, seed):
    given = make(loss, k=outputs, seed=seed)
    for curvature in ("gauss_newton", "fisher"):
        training = Converged(decay, convention)
        setting = {"curvature": curvature, "loss": loss, "damping": damping, "training": training}
        agree(influence(*given, **setting), dense(*given, **setting), rtol=1e-11)


def test_one_output_and_an_example_without_residual(make, dense):
    network, params, (x, y), queries = make("squared", n=7, q=3, k=1)
    with float64():
        y[2] = network.apply(params, x[2:3])[0]
    given = (network, params, (x, y), queries)
    setting = {"curvature": "gauss_newton", "loss": "squared", "damping": 0.1}
    agree(influence(*given, **setting), dense(*given, **setting), rtol=1e-11)


@pytest.mark.parametrize("logit", [8.0, 30.0, 200.0])
def test_certain_predictions_right_and_wrong(make, dense, logit):
    network, params, (x, y), queries = make("cross_entropy", hidden=())
    with float64():
        params["layers"][1]["bias"] = jnp.array([logit, 0.0, -1.0])  # class 0 it is, whatever the label
    y[:3] = 0, 1, 2
    given = (network, params, (x, y), queries)
    setting = {"curvature": "gauss_newton", "loss": "cross_entropy", "damping": 1e-2}
    setting["training"] = Converged(convention="sum")
    ours, theirs = influence(*given, **setting), dense(*given, **setting)
    agree(ours, theirs, rtol=1e-9)
    # The reference computes 1 − p with the rounding of 1: where p is nearly 1 only ours has digits.
    right = np.flatnonzero(y == 0)
    np.testing.assert_allclose(ours.self_influence[right], theirs[1][right], rtol=1e-15 * np.exp(logit) + 1e-9)
    assert (ours.self_influence > 0).all()


@pytest.mark.parametrize(
    ("curvature", "loss"),
    [
        ("hessian", "cross_entropy"),
        pytest.param("gauss_newton", "cross_entropy", marks=pytest.mark.slow),
        pytest.param("fisher", "squared", marks=pytest.mark.slow),
    ],
)
def test_solvers_equal_dense(make, dense, curvature, loss):
    given = make(loss)
    setting = {"curvature": curvature, "loss": loss, "damping": 4.0, "training": Converged(0.1)}
    reference = dense(*given, **setting)
    if curvature == "hessian":
        agree(influence(*given, **setting, self_influence=True), reference, rtol=1e-10)
    cg = influence(*given, **setting, solver=ConjugateGradient(100, 1e-12), self_influence=True)
    agree(cg, reference, rtol=1e-9)
    assert cg.residual < 1e-10
    series = influence(*given, **setting, solver=Lissa(scale=80.0, steps=2000), self_influence=True)
    agree(series, reference, rtol=1e-9)


def test_lissa_on_batches_comes_near(make, dense):
    given = make("squared")
    setting = {"curvature": "gauss_newton", "loss": "squared", "damping": 5.0}
    made = influence(*given, **setting, solver=Lissa(scale=100.0, steps=300, batch=3, repeats=8))
    reference, _ = dense(*given, **setting)
    assert np.corrcoef(made.scores.ravel(), reference.ravel())[0, 1] > 0.99
    assert made.self_influence is None
    assert 1e-6 < made.residual < 0.5


def test_groups_add_up(make):
    given = make("cross_entropy")
    setting = {"loss": "cross_entropy", "damping": 0.1}
    groups = [[0, 4], [3], [1, 2, 5]]
    for convention, factor in (("sum", np.ones(3)), ("mean", 5 / (6 - np.array([2, 1, 3])))):
        single = influence(*given, **setting, training=Converged(convention=convention))
        grouped = influence(*given, **setting, training=Converged(convention=convention), groups=groups)
        expected = [single.scores[group].sum(0) for group in groups] * factor[:, None]
        np.testing.assert_allclose(grouped.scores, expected, rtol=1e-9)
        np.testing.assert_allclose(grouped.self_influence[1], single.self_influence[3], rtol=1e-9)


@pytest.mark.parametrize("convention", ["mean", "sum"])
def test_predicts_the_rise_of_the_loss(convention):
    # Ridge regression on many examples, where one more or less is nearly infinitesimal.
    rng = np.random.default_rng(0)
    n, decay = 400, 0.5
    x, query_x = rng.normal(size=(n, 3)), rng.normal(size=(5, 3))
    y, query_y = x @ [1.0, -1.0, 0.5] + rng.normal(size=n), rng.normal(size=5)
    x, query_x = (np.concatenate([part, np.ones((len(part), 1))], 1) for part in (x, query_x))

    def fit(kept):
        weight = len(kept) if convention == "mean" else 1
        return np.linalg.solve(x[kept].T @ x[kept] + weight * decay * np.eye(4), x[kept].T @ y[kept])

    def losses(w):
        return (query_x @ w - query_y) ** 2 / 2, (x @ w - y) ** 2 / 2

    w = fit(np.arange(n))
    with float64():
        params = {"layers": {1: {"kernel": jnp.asarray(w[:3, None]), "bias": jnp.asarray(w[3:])}}}
    training = Converged(decay, convention)
    made = influence(mlp((), 1), params, (x[:, :3], y), (query_x[:, :3], query_y), damping=0.0, training=training)
    for i in (0, 100, 399):
        without = fit(np.delete(np.arange(n), i))
        rise, own = (after - before for after, before in zip(losses(without), losses(w), strict=True))
        np.testing.assert_allclose(made.scores[i], rise, atol=0.03 * np.abs(rise).max())
        np.testing.assert_allclose(made.self_influence[i], own[i], rtol=0.05)


def test_float32_and_data_sets(make):
    network, params, (x, y), (query_x, query_y) = make("cross_entropy", dtype=np.float32)
    setting = {"loss": "cross_entropy", "damping": 0.05}
    sets = [Dataset(a, b, classes=("a", "b", "c")) for a, b in ((x, y), (query_x, query_y))]
    one_hot = [(a, np.eye(3)[b]) for a, b in ((x, y), (query_x, query_y))]
    single = influence(network, params, *sets, **setting)
    np.testing.assert_array_equal(single.scores, influence(network, params, *one_hot, **setting).scores)
    with float64():
        wide = jax.tree.map(lambda leaf: leaf.astype(np.float64), params)
    double = influence(network, wide, *sets, **setting)
    agree(single, double[:2], rtol=1e-4)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"curvature": "kfac"}, "curvature is 'kfac'"),
        ({"solver": "newton"}, "solver is 'newton'"),
        ({"loss": "hinge"}, "loss is 'hinge'"),
        ({"damping": 0.0}, "decay and damping are both 0"),
        ({"damping": -1.0}, "damping is -1.0"),
        ({"damping": 1e-30, "groups": [[0, 1, 2]]}, "3 of 3 examples"),
        ({"damping": 1e-18}, "below the rounding of the float64 kernel"),
        ({"loss": "cross_entropy"}, "takes class numbers from 0 to 1"),
        ({"solver": Lissa(scale=1e-3, steps=2000)}, "LiSSA diverged with scale 0.001"),
    ],
)
def test_bad_input_is_named(setting, message):
    x = np.zeros((3, 2))
    with float64():
        params = {"layers": {1: {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}}}
    with pytest.raises(InvalidInput, match=message):
        influence(mlp((), 2), params, (x, np.zeros((3, 2))), (x, np.zeros((3, 2))), **{"damping": 0.1} | setting)


def test_bad_arrays_are_named(make):
    network, params, (x, y), queries = make("squared")
    with pytest.raises(InvalidInput, match="train x has 24 NaN"):
        influence(network, params, (x * np.nan, y), queries, damping=0.1)
    with pytest.raises(InvalidInput, match="train x has 6 masked"):
        influence(network, params, (np.ma.masked_array(x, mask=np.isin(x, x[:, 0])), y), queries, damping=0.1)
    with pytest.raises(InvalidInput, match=r"targets of shape \(6, 2\)"):
        influence(network, params, (x, y[:, :2]), queries, damping=0.1)
    with pytest.raises(OverBudget, match="43 parameters needs"):
        influence(network, params, (x, y), queries, damping=0.1, curvature="hessian", budget=1000)
    with pytest.raises(InvalidInput, match="at least one step"):
        ConjugateGradient(steps=0)
    with pytest.raises(InvalidInput, match="must be at least 1"):
        Lissa(batch=0)
