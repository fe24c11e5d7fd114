"""Gradient descent on a real network, with all examples or without one, in programs of fixed shapes.

    L(w) = Σ_j c_j ½‖f_w(x_j) − y_j‖² + ½ decay ‖w − w₀‖²

with c_j = 0 for the example that is left out, for the others 1 (convention "sum") or 1 over their number
("mean").
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from infojax.arrays import array_of_reals, check_float32
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.linearized import Convention, GradientDescent, Training, check_training
from infojax.models import Network, Params, check_network, check_network_and_params, require_examples
from infojax.training import DecayToStart, Learner, Recipe, squares, train, training_set

Examples: TypeAlias = Dataset | tuple[Any, Any]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Problem:
    """What is trained, on what, and how; arrays all in the precision of the parameters.

    A pytree, which JAX fills with other things than arrays: the shapes are x (n, ...), y (n, k) and
    validation (m, ...).
    """

    params: Any
    x: Any
    y: Any
    validation: Any
    network: Network = field(metadata={"static": True})
    recipe: Recipe = field(metadata={"static": True})
    convention: Convention | str = field(metadata={"static": True})

    @property
    def learner(self) -> Learner:
        """Before training."""
        return Learner(self.network, self.params)


def weights_without(problem: Problem, left_out: Int[Array, ""]) -> Float[Array, " n"]:
    """c, without example number `left_out`; −1 for none."""
    present: Bool[Array, " n"] = jnp.arange(len(problem.x)) != left_out
    weights = present.astype(problem.y.dtype)
    return weights / weights.sum() if problem.convention == "mean" else weights


@jax.jit
def descend(problem: Problem, left_out: Int[Array, ""]) -> Params:
    """Trained parameters without example number `left_out`, −1 for none; all steps in one program."""
    data = training_set(problem.x, problem.y, weights_without(problem, left_out))
    return train(problem.learner, data, problem.recipe).learner.params


def validate(
    network: Network,
    params: Params,
    train: Examples,
    validation: Examples,
    training: Training,
) -> Problem:
    """The problem, checked. Raises InvalidInput as `infojax.information.retrain_without_each` says."""
    if not isinstance(training, GradientDescent):
        raise InvalidInput(f"training is {training!r}; a real network is trained in steps: GradientDescent(...).")
    check_training(training)
    check_network_and_params(network, params)
    require_examples("train", train)
    require_examples("validation", validation)
    dtypes = {leaf.dtype for leaf in jax.tree.leaves(params)}
    if len(dtypes) != 1 or not jnp.issubdtype(next(iter(dtypes)), jnp.floating):
        raise InvalidInput(f"Parameters are of {sorted(map(str, dtypes))}; give all in one floating precision.")
    dtype = dtypes.pop()
    x, y = _arrays(train, "train", dtype)
    points, _ = _arrays(validation, "validation", dtype)
    if len(x) < 2:
        raise InvalidInput(f"There is {len(x)} training example; leaving one out needs at least 2.")
    check_network(network.apply, params, x)
    made, elsewhere = (jax.eval_shape(network.apply, params, part).shape for part in (x, points))
    if made != y.shape or elsewhere[1:] != y.shape[1:]:
        raise InvalidInput(
            f"The network has outputs of shape {made}, the training targets have {y.shape}; build it with "
            f"outputs={y.shape[-1]}."
        )
    return Problem(
        params=jax.tree.map(jnp.asarray, params),
        x=x,
        y=y,
        validation=points,
        network=network,
        recipe=Recipe(
            int(training.steps),
            float(training.learning_rate),
            loss=squares,
            optimizer=DecayToStart(float(training.decay)),
        ),
        convention=training.convention,
    )


def _arrays(data: Examples, name: str, dtype: Any) -> tuple[Array, Array]:
    x, y = (data.x, data.targets) if isinstance(data, Dataset) else _given(data, name)
    if x.ndim < 1 or len(x) == 0 or y.ndim not in (1, 2) or len(x) != len(y):
        raise InvalidInput(f"{name} has x {x.shape} and targets {y.shape}; give (n, ...) and (n, k) with n ≥ 1.")
    for part, array in (("x", x), ("targets", y)):
        if not np.isfinite(array).all():
            raise InvalidInput(f"{name} {part} has {np.sum(~np.isfinite(array))} NaN or infinite entries; drop them.")
    if np.dtype(dtype) == np.float32:
        check_float32(x, x.astype(np.float32), f"{name} x", stacklevel=4)
    return jnp.asarray(x, dtype), jnp.asarray(y.reshape(len(y), -1), dtype)


def _given(data: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = data
    return array_of_reals(f"{name} x", x), array_of_reals(f"{name} targets", y)
