"""Kernels between chosen directions of the outputs: Bᵀ Θ B without Θ.

Each example carries its own directions B (k, r) behind its inputs, and the network gives Bᵀf: the empirical kernel of
that network is Bᵀ Θ B. With B = ρ = ∂ℓ/∂f it is the Gram matrix of the examples' gradients, n × n instead of nk × nk.
"""

import functools
from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infojax.information.influence_functions.losses import directions
from infojax.information.influence_functions.problem import Problem
from infojax.kernels import empirical_ntk

if TYPE_CHECKING:
    from rich.progress import Progress


def directed_kernel(
    problem: Problem,
    x1: Any,
    b1: Float[np.ndarray, "n k r"],
    x2: Any = None,
    b2: Any = None,
    *,
    budget: int,
    progress: "Progress | None" = None,
) -> Float[np.ndarray, "nr mr"]:
    """B₁ᵀ Θ(x1, x2) B₂, example-major; without x2, of x1 with itself."""
    apply = _along(problem.apply, x1.shape[1:], *b1.shape[1:])
    packed = [_packed(x, b) for x, b in ((x1, b1), (x2, b2)) if x is not None]
    return np.asarray(empirical_ntk(apply, problem.params, *packed, budget=budget, progress=progress))


def curvature_directions(
    problem: Problem, x: Any, y: Any
) -> tuple[Float[np.ndarray, "n k r"], Float[np.ndarray, " n"]]:
    """B and c of all examples, see losses.py; ρ is c times the last of B."""
    b, c = _directions(problem.apply, problem.loss, problem.params, x, y)
    return np.asarray(b), np.asarray(c)


@functools.partial(jax.jit, static_argnames=("apply", "loss"))
def _directions(apply: Any, loss: Any, params: Any, x: Any, y: Any) -> Any:
    return jax.vmap(functools.partial(directions, loss))(apply(params, x), y)


@functools.lru_cache(maxsize=64)  # the same function again is not compiled again
def _along(apply: Callable[..., Any], shape: tuple[int, ...], outputs: int, count: int) -> Callable[..., Any]:
    size = prod(shape)

    def along(params: Any, packed: Any) -> Any:
        x, b = packed[:, :size].reshape(-1, *shape), packed[:, size:].reshape(-1, outputs, count)
        return jnp.einsum("bk,bkr->br", apply(params, x), b)

    return along


def _packed(x: np.ndarray, b: Any) -> np.ndarray:
    return np.concatenate([x.reshape(len(x), -1), np.asarray(b).reshape(len(x), -1)], axis=1)
