"""The root of a monotone function of one variable, with its derivatives."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.lax import stop_gradient
from jaxtyping import Array, Float


def root(
    excess: Callable[[Array], Any],
    low: Float[Array, ""],
    high: Float[Array, ""],
    *,
    geometric: bool = False,
    halvings: int = 60,
) -> Float[Array, ""]:
    """Where `excess`, which changes sign once between low and high, is zero.

    By bisection, of the logarithm if `geometric`, then two steps of Newton's method from a start without
    derivatives: after k such steps the first 2^k − 1 derivatives are right, with respect to all that `excess` closes
    over. A step that would leave the bracket is not taken; the derivatives then are 0.

    >>> square_root = lambda x: root(lambda y: y**2 - x, jnp.zeros(()), jnp.asarray(10.0))
    >>> round(float(square_root(2.0)), 4), round(float(jax.grad(square_root)(2.0)), 4)
    (1.4142, 0.3536)
    """
    ends = stop_gradient((low, high))
    rising = stop_gradient(excess(ends[1])) > 0

    def middle(ends: tuple[Array, Array]) -> Array:
        return jnp.sqrt(ends[0]) * jnp.sqrt(ends[1]) if geometric else (ends[0] + ends[1]) / 2

    def halve(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        at = middle(ends)
        below = (excess(at) < 0) == rising
        return jnp.where(below, at, ends[0]), jnp.where(below, ends[1], at)

    found = stop_gradient(middle(jax.lax.fori_loop(0, halvings, halve, ends)))
    for _ in range(2):
        value: Array
        slope: Array
        value, slope = jax.jvp(excess, (found,), (jnp.ones_like(found),))
        step = value / jnp.where(slope == 0, 1, slope)
        inside = (slope != 0) & (found - step >= ends[0]) & (found - step <= ends[1])
        found = found - jnp.where(inside, step, 0)
    return found
