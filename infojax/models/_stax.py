"""stax networks, which know their infinite-width limit."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from infojax.errors import InvalidInput
from infojax.models._network import Network, Params
from infojax.models._neural_tangents import relaxed


def from_stax(layers: Any) -> Network:
    """A network from what neural-tangents' stax makes: `(init_fn, apply_fn, kernel_fn)`.

    Parameters are stax' own, a nested tuple. The batch is the first axis. The network computes in the precision of
    parameters and inputs, also where JAX was told to be strict about promotion. Networks with `Dropout` are not taken.

    Raises:
        InvalidInput: `layers` is no such triple; from `init` and `apply`, if the network does not take examples of the
            shape given, or if its outputs are not (b, k).

    >>> from infojax.models import stax
    >>> network = from_stax(stax.serial(stax.Flatten(), stax.Dense(64), stax.Relu(), stax.Dense(3)))
    >>> params = network.init(jax.random.key(0), (8, 8, 1))
    >>> network.apply(params, np.ones((5, 8, 8, 1), np.float32)).shape
    (5, 3)
    """
    if not (isinstance(layers, tuple) and len(layers) == 3 and all(map(callable, layers))):
        raise InvalidInput(
            f"from_stax takes the triple (init_fn, apply_fn, kernel_fn) that stax.serial(...) makes, not {layers!r}"
        )
    init_fn, apply_fn, kernel_fn = map(relaxed(), layers)

    def init(key: PRNGKeyArray, shape: tuple[int, ...]) -> Params:
        params = _refusing(shape, init_fn, key, (1, *shape))[1]
        jax.eval_shape(apply, params, jax.ShapeDtypeStruct((1, *shape), jnp.result_type(float)))
        return params

    def apply(params: Params, x: Shaped[Array | np.ndarray, "b ..."]) -> Float[Array, "b k"]:
        outputs = _refusing(x.shape[1:], apply_fn, params, x)
        if jnp.ndim(outputs) != 2:
            raise InvalidInput(
                f"for an example of shape {x.shape[1:]} the network's output has shape {outputs.shape[1:]}, it must be "
                "a vector: end the network with Flatten() or GlobalAvgPool(), and Dense(k)"
            )
        return outputs

    return Network(init, apply, kernel_fn)


def _refusing(shape: tuple[int, ...], function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except (AssertionError, IndexError, TypeError, ValueError) as error:
        raise InvalidInput(f"the network does not take examples of shape {shape}: {error}") from error
