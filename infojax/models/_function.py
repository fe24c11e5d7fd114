"""Plain functions of parameters and examples as networks."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray, Shaped

from infojax.errors import InvalidInput
from infojax.models._network import Network, Params
from infojax.models.checks.outputs import as_vectors
from infojax.models.checks.parameters import check_apply


def from_function(
    apply: Any,
    init: Callable[[PRNGKeyArray, tuple[int, ...]], Params] | None = None,
    *,
    per_example: bool = False,
) -> Network:
    """A network from a function `apply(params, x)`, whatever made it: JAX alone, Equinox, Haiku.

    Outputs of any rank are flattened to (b, k); one number for each example becomes (b, 1).

    Args:
        apply: `apply(params, x)` with x a batch (b, *shape); with `per_example`, one example of that shape.
        init: `init(key, shape)` → parameters, with the shape of one example; None where the parameters are at hand.
        per_example: whether `apply` takes one example, as Equinox' modules do. No row can then depend on another.

    Raises:
        InvalidInput: `apply` is no function; from `init`, when there is none; from `apply`, when the function does not
            take examples of the shape given or does not make one array of them.

    >>> network = from_function(lambda w, x: jnp.dot(w, x), per_example=True)
    >>> network.apply(jnp.ones(3), jnp.ones((5, 3))).shape
    (5, 1)
    """
    check_apply(apply)
    name = getattr(apply, "__name__", type(apply).__name__)
    name = "the function" if name == "<lambda>" else name

    def missing(key: PRNGKeyArray, shape: tuple[int, ...]) -> Params:
        raise InvalidInput("this network was made by from_function(apply) without init: give init, or parameters.")

    def of_batch(params: Params, x: Shaped[Array | np.ndarray, "b ..."]) -> Shaped[Array, "b k"]:
        if per_example:
            return as_vectors(name, x, lambda x: jax.vmap(lambda one: apply(params, one))(jnp.asarray(x)))
        return as_vectors(name, x, lambda x: apply(params, x))

    of_batch.__name__ = name
    return Network(init or missing, of_batch)
