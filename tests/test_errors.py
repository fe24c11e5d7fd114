"""Messages: numbers stand in them as numbers, whatever type they came in."""

import pickle

import jax.numpy as jnp
import numpy as np
import pytest

import infojax as ij
from infojax import errors
from infojax.errors import DataWarning, InfojaxError, InvalidInput, StorageFailed

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_shown_without_their_types(kind):
    values = [np.float64(2.0), np.int32(-3), np.bool_(True), np.str_("a (b)"), np.float32(1e-9), jnp.float32(2.5)]
    shown = str(kind(f"{values} and {ij.GradientDescent(np.float64(5), np.float64(0.1))!r}, {np.float64('nan')!r}"))
    assert shown == (
        "[2.0, -3, True, 'a (b)', 1e-09, 2.5] and "
        "GradientDescent(steps=5.0, learning_rate=0.1, decay=0.0, convention='mean'), nan"
    )  # fmt: skip


def test_other_words_stay():
    message = "np.savez(path, x=…), np.float64 and np.zeros((2, 3)); Array of (2, 3); float64(x)"
    assert str(InvalidInput(message)) == message


def test_errors_can_be_sent_to_another_process():
    for error in (InvalidInput(f"{np.float64(2)!r}"), StorageFailed("full"), DataWarning("3 left out")):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


KERNEL, R = np.eye(4), np.ones(4)
WRONG = np.float64(-2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ij.GradientDescent(WRONG, 1.0),
        lambda: ij.GradientFlow(WRONG),
        lambda: ij.information.from_kernels(KERNEL, KERNEL, R, training=ij.Converged(WRONG)),
        lambda: ij.information.from_kernels(KERNEL, KERNEL, R, training=ij.Converged(convention=WRONG)),
        lambda: ij.information.from_kernels(KERNEL, KERNEL, R, training=ij.Converged(), groups=WRONG),
        lambda: ij.information.from_products(KERNEL, KERNEL, R, training=ij.Converged(), tolerance=WRONG),
        lambda: ij.information.sgd_from_kernel(KERNEL, R, batch=WRONG, training=ij.Converged()),
        lambda: ij.information.influence_from_kernels(KERNEL, KERNEL, R, damping=WRONG),
        lambda: ij.scaling.keep_hard(WRONG),
        lambda: ij.scaling.keep_random(np.float32(1.5)),
        lambda: ij.scaling.ridge_law(ij.scaling.RidgeProblem(ij.scaling.keep_hard(0.5), ratio=WRONG)),
        lambda: ij.scaling.ridge_law(ij.scaling.RidgeProblem(ij.scaling.keep_hard(0.5), pruner=np.float64(2.0))),
        lambda: ij.scaling.perceptron_law(ij.scaling.PerceptronProblem(WRONG, 2.0)),
        lambda: ij.models.mlp(hidden=(np.int64(-3),), outputs=1),
        lambda: ij.kernels.empirical_ntk(lambda w, x: x @ w, np.ones((2, 1)), np.ones((3, 2)), precision=WRONG),
        lambda: ij.data.load("digits").only(np.int64(77)),
        lambda: ij.planning.machine_named("a100", memory=WRONG),
    ],
)
def test_no_function_shows_a_type_for_a_number(call):
    with pytest.raises((InfojaxError, TypeError)) as raised:
        call()
    if isinstance(raised.value, InfojaxError):
        assert "np." not in str(raised.value)
        assert "(" not in str(raised.value)[:20] or "float" not in str(raised.value)
