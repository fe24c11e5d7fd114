"""An estimate of the empirical kernel from a few random coordinates of each parameter.

Harutyunyan et al. (2021) take it for their larger networks: Θ is a sum over the coordinates of the parameters, so a
random part of the sum, times size/selected, is right on average.
"""

import contextlib
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from infojax.arrays import float64, traced
from infojax.errors import InvalidInput
from infojax.kernels._checked import check_fit, check_options, read_examples, warn_of_narrow
from infojax.kernels._empirical import from_features
from infojax.kernels.layers.features import Features, factors_of_one, kernel_dtype
from infojax.models import Network, check_apply, check_parameters

if TYPE_CHECKING:
    from rich.progress import Progress


def random_coordinate_ntk(
    network: Any,
    params: PyTree,
    x1: Any,
    x2: Any = None,
    *,
    coordinates: int = 2000,
    key: PRNGKeyArray,
    budget: int = 2**31,
    tile: int | None = None,
    progress: "Progress | None" = None,
) -> Float[np.ndarray, "N M"]:
    """An approximation of `empirical_ntk`: unbiased over keys, not the kernel itself.

    Of each parameter array with more than `coordinates` elements, so many are drawn without replacement, and their
    gradients multiplied by √(size/selected); of smaller ones all count. The same coordinates serve all examples, so
    the estimate is positive semi-definite, and kernels of the same key fit together (training and validation, say).
    Gradients of other coordinates are not computed, where the parameter is in a matrix product or convolution: each
    of the coordinates is a sum of activation times cotangent over positions. `docs/kernels.md` has its measured error.

    Args:
        network, params, x1, x2, budget, tile, progress: as for `empirical_ntk`.
        coordinates: of each parameter array; 2000 and 10,000 in the paper.
        key: draws the coordinates.

    Returns:
        (n k, m k), example-major: row i * k + c. With `coordinates` of the largest array or more, the exact kernel.

    Raises:
        InvalidInput: as `empirical_ntk`; fewer than one coordinate; a call under `jax.jit` and the like.
        OverBudget: not even one tile fits the budget, or the result does not fit into memory.

    >>> weights, x = jnp.ones((2, 1)), np.eye(2, dtype=np.float32)
    >>> print(random_coordinate_ntk(lambda w, x: x @ w, weights, x, key=jax.random.key(0)))
    [[1. 0.]
     [0. 1.]]
    """
    apply = network.apply if isinstance(network, Network) else network
    check_apply(apply)
    check_parameters(apply, params)
    check_options(budget, tile, "layers", None)
    warn_of_narrow(params)
    if isinstance(coordinates, bool) or coordinates < 1:
        raise InvalidInput(f"coordinates={coordinates}; at least one of each parameter array is needed.")
    if traced(params, x1, x2, key):
        raise InvalidInput("random_coordinate_ntk works in tiles on the host: call it outside of jax.jit.")
    dtype = np.dtype(kernel_dtype(params))
    seed = tuple(np.asarray(jax.random.key_data(key)).ravel().tolist())
    with jax.default_matmul_precision("highest"), float64() if dtype == np.float64 else contextlib.nullcontext():
        x1 = read_examples("x1", x1, dtype)
        x2 = None if x2 is None else read_examples("x2", x2, dtype)
        outputs = check_fit(apply, params, x1, x2)
        of_block = functools.partial(_features, apply, params, coordinates=coordinates, seed=seed)
        result: Any = from_features(of_block, x1, x2, outputs, dtype, budget=budget, tile=tile, progress=progress)
        return result


@functools.partial(jax.jit, static_argnames=("apply", "coordinates", "seed"))
def _features(
    apply: Callable[..., Any],
    params: PyTree,
    x: Float[Array, "n ..."] | Any,
    *,
    coordinates: int,
    seed: tuple[int, ...],
) -> Features:
    def of_one(one: Array) -> Float[Array, "k p"]:
        # Seeded anew for each trace, so that all blocks of examples get the same coordinates.
        random = np.random.default_rng(seed)
        factors, gradients = factors_of_one(apply, params, one)
        weights = [(f.activations[..., :-1] if f.bias else f.activations, f.cotangents) for f in factors]
        biases = [(f.activations[..., -1:], f.cotangents) for f in factors if f.bias]
        picked = [_of_product(a, b, coordinates, random) for a, b in (*weights, *biases)]
        picked += [_of_gradient(gradient, coordinates, random) for gradient in gradients]
        return jnp.concatenate(picked, axis=1)

    return Features((), (), (jax.vmap(of_one)(x),))


def _of_gradient(gradient: Float[Array, "k p"], coordinates: int, random: np.random.Generator) -> Float[Array, "k c"]:
    size = gradient.shape[1]
    if size <= coordinates:
        return gradient
    return gradient[:, random.choice(size, coordinates, replace=False)] * (size / coordinates) ** 0.5


def _of_product(
    a: Float[Array, "s g f"], b: Float[Array, "k s g o"], coordinates: int, random: np.random.Generator
) -> Float[Array, "k c"]:
    (positions, groups, fan_in), fan_out = a.shape, b.shape[-1]
    size = groups * fan_in * fan_out
    if size <= max(coordinates, positions * coordinates):
        # The whole gradient is no larger than what would be gathered.
        gradient = jnp.einsum("sgf,ksgo->kgfo", a, b).reshape(b.shape[0], size)
        return _of_gradient(gradient, coordinates, random)
    g, f, o = np.unravel_index(random.choice(size, coordinates, replace=False), (groups, fan_in, fan_out))
    return jnp.einsum("sc,ksc->kc", a[:, g, f], b[:, :, g, o]) * (size / coordinates) ** 0.5
