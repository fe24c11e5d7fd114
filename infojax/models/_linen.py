"""flax.linen modules as networks."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray, Shaped

from infojax.errors import InvalidInput
from infojax.models._network import Network, Params
from infojax.models.checks.outputs import as_vectors, calling, for_floats_or_tokens
from infojax.models.checks.parameters import in_precision_of, module_library

Shape = tuple[int, ...]


def from_linen(module: Any, variables: Any = None, **call: Any) -> Network:
    """A network from a flax.linen module, whose weights are the collection "params" alone.

    All other collections (BatchNorm's running statistics, "batch_stats") are no weights and stay fixed: those of
    `variables`, or else those that the module is initialized with, which should not depend on the random numbers.
    Outputs of any rank are flattened to (b, k).

    Args:
        module: a linen module, called with a batch (b, *shape).
        variables: what `module.init` or training made, with "batch_stats" and the like; its "params" are not kept.
        call: arguments of the module's call that switch it to evaluation, such as train=False or deterministic=True.

    Raises:
        InvalidInput: no linen module, variables that are none; from `init` and `apply`, when the module does not
            take examples of the shape given, wants random numbers, or changes its state.

    >>> from flax import linen
    >>> network = from_linen(linen.Dense(2))
    >>> params = network.init(jax.random.key(0), (3,))
    >>> jax.tree.map(jnp.shape, params)
    {'bias': (2,), 'kernel': (3, 2)}
    >>> network.apply(params, jnp.ones((5, 3))).shape
    (5, 2)
    """
    if module_library(module) != "flax.linen":
        given = "a class; make the module, Module()" if isinstance(module, type) else f"a {type(module).__name__}"
        raise InvalidInput(
            f"from_linen takes a flax.linen module, not {given}. Modules of flax.nnx are for ij.models.from_nnx."
        )
    name = type(module).__name__
    kept = None
    if variables is not None:
        if "params" not in variables:
            raise InvalidInput(
                f"from_linen: variables has the collections {sorted(map(str, variables))}; give all that module.init "
                "made, 'params' among them."
            )
        kept = {collection: values for collection, values in variables.items() if collection != "params"}

    def start(key: PRNGKeyArray, shape: Shape) -> Any:
        def attempt(dtype: Any) -> Any:
            x = jnp.zeros((1, *shape), dtype)
            return calling(name, x, lambda x: module.init(key, x, **call))

        return for_floats_or_tokens(attempt, jnp.result_type(float))

    @functools.cache
    def initial(shape: Shape) -> Any:
        with jax.ensure_compile_time_eval():
            started = start(jax.random.key(0), shape)
        return {collection: values for collection, values in started.items() if collection != "params"}

    def init(key: PRNGKeyArray, shape: Shape) -> Params:
        shape = tuple(shape)
        return start(key, shape).get("params", {})

    def apply(params: Params, x: Shaped[Array | np.ndarray, "b ..."]) -> Shaped[Array, "b k"]:
        fixed = in_precision_of(params, initial(tuple(x.shape[1:])) if kept is None else kept)
        return as_vectors(name, x, lambda x: module.apply({"params": params, **fixed}, x, **call))

    apply.__name__ = name
    return Network(init, apply)
