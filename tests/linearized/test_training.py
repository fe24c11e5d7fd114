import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.information import from_kernels, from_products
from infojax.linearized._training import Converged, GradientDescent, GradientFlow, as_sum, check_training

KERNEL, RESIDUAL = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([1.0, 0.0])
WRONG = [
    -1, 0, 0.0, float("nan"), float("inf"), np.int64(-2000), np.int64(0), np.int32(-1), np.float32(-1), np.array(-1.0),
    np.array([1.0, -1.0]), np.float16("inf"), jnp.float32(-1), jnp.array([1, 0]), "1", "", None, True, [1.0], 1j,
    np.ma.masked, np.ma.array([1.0, 2.0], mask=[True, False]), np.array("1"), 10**400, object(),
]  # fmt: skip
NO_DECAY = [
    -1, -0.1, 1e16, float("nan"), float("inf"), np.int64(-2000), np.array([1.0, -1.0]), np.float16("inf"),
    jnp.float32(-1), "1", "", None, True, [1.0], 1j, np.ma.masked, np.array("1"), 10**400,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _without_type_checks(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as users run it


@pytest.mark.parametrize("value", WRONG, ids=lambda value: f"{type(value).__name__}-{value!r:.20}")
def test_what_is_no_positive_number_is_refused(value):
    with pytest.raises(InvalidInput, match="must be positive and finite"):
        GradientDescent(value, 0.1)
    with pytest.raises(InvalidInput, match="must be positive and finite"):
        GradientFlow(value)
    with pytest.raises(InvalidInput, match="learning_rate"):
        GradientFlow(1.0, value)


@pytest.mark.parametrize("value", NO_DECAY, ids=repr)
def test_what_is_no_decay_is_refused(value):
    for make in (
        lambda: GradientDescent(5, 0.1, value),
        lambda: GradientFlow(1.0, decay=value),
        lambda: Converged(value),
    ):
        with pytest.raises(InvalidInput, match=r"decay is .* finite and not negative"):
            make()


@pytest.mark.parametrize("value", ["average", "total", 2.0, None])
def test_what_is_no_convention_is_refused(value):
    for make in (
        lambda: GradientDescent(5, 0.1, 0.0, value),
        lambda: GradientFlow(1.0, convention=value),
        lambda: Converged(convention=value),
    ):
        with pytest.raises(InvalidInput, match=f'convention is {value!r}; it must be "mean" or "sum"'):
            make()


def test_arrays_of_decays_are_taken_and_refused_where_one_is_needed():
    training = Converged(np.array([0.1, 0.2]))
    assert training.decay[1] == 0.2
    for use in (lambda: as_sum(training, 5), lambda: from_kernels(KERNEL, KERNEL[:1], RESIDUAL, training=training)):
        with pytest.raises(InvalidInput, match=r"decay has shape \(2,\); give one number"):
            use()


@pytest.mark.parametrize("steps", [2.5, np.float32(0.5), jnp.float32(1.5), np.array([1.0, 2.5])])
def test_steps_are_whole(steps):
    with pytest.raises(InvalidInput, match="whole number of steps"):
        GradientDescent(steps, 0.1)


@pytest.mark.parametrize(
    "kind", [int, float, np.int32, np.int64, np.uint8, np.float32, np.array, jnp.int32, jnp.float32]
)
def test_numbers_of_any_library_give_the_same(kind):
    made = from_kernels(KERNEL, KERNEL[:1], RESIDUAL, training=GradientDescent(kind(20), 0.25))
    expected = from_kernels(KERNEL, KERNEL[:1], RESIDUAL, training=GradientDescent(20, 0.25))
    np.testing.assert_allclose(made.si, expected.si, rtol=1e-13)


@pytest.mark.parametrize("kind", [np.float32, jnp.float32, np.float64, np.array])
def test_settings_of_any_library_give_the_same_in_float64(kind):
    numbers, sigma = (kind(3), kind(0.1), kind(0.1)), kind(1.3)
    for function in (from_kernels, from_products):
        made = function(KERNEL, KERNEL[:1], RESIDUAL, training=GradientFlow(*numbers), sigma=sigma)
        plain = GradientFlow(*map(float, numbers))
        expected = function(KERNEL, KERNEL[:1], RESIDUAL, training=plain, sigma=float(sigma))
        assert isinstance(made.f_si, np.ndarray)
        np.testing.assert_allclose(made.si, expected.si, rtol=1e-12)
        np.testing.assert_allclose(made.f_si, expected.f_si, rtol=1e-12)


def test_arrays_of_times_and_steps_are_taken():
    assert GradientFlow(np.array([1.0, 2.0])).time[1] == 2
    assert GradientDescent(jnp.array([1, 2]), 0.1).steps[1] == 2


def test_jax_may_hang_anything_into_the_tree():
    training = GradientFlow(1.0, 2.0)
    assert jax.tree.map(lambda _: None, training).time is None
    assert jax.tree.map(lambda leaf: -leaf, training).time == -1
    slope = jax.grad(lambda t: -(t.time**2) * t.learning_rate)(training)
    assert (slope.time, slope.learning_rate, slope.decay, slope.convention) == (-4, -1, 0, "mean")
    assert jax.vmap(lambda t: t.time)(GradientFlow(jnp.ones(3), jnp.ones(3), jnp.ones(3))).shape == (3,)
    assert jax.jit(lambda t: 2 * t.decay)(Converged(1.5, "sum")) == 3
    assert jax.jit(lambda t: t)(Converged(1.5, "sum")).convention == "sum"
    assert jax.eval_shape(lambda t: t, GradientFlow(jnp.ones(3))).time.shape == (3,)
    assert jax.jit(lambda time: GradientFlow(time).time)(3.0) == 3
    assert jax.tree_util.keystr(jax.tree_util.tree_leaves_with_path(training)[0][0]) == ".time"


def test_numbers_that_came_in_through_the_tree_are_refused_where_they_are_used():
    training = jax.tree.map(lambda leaf: -leaf, GradientFlow(1.0))
    with pytest.raises(InvalidInput, match=r"GradientFlow.time is -1\.0"):
        as_sum(training, 5)
    with pytest.raises(InvalidInput, match=r"GradientFlow.time is -1\.0"):
        from_kernels(KERNEL, KERNEL[:1], RESIDUAL, training=training)


@pytest.mark.parametrize("training", [None, "Converged", Converged, GradientFlow, 3, Converged.__init__])
def test_what_is_no_training_is_refused(training):
    for use in (check_training, lambda given: from_kernels(KERNEL, KERNEL[:1], RESIDUAL, training=given)):
        with pytest.raises(InvalidInput, match=r"training is .*; give ij\.Converged\(\)"):
            use(training)
