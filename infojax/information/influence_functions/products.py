"""Products of a curvature of the mean training loss with a vector, without the matrix.

    hessian       ∂²/∂w² (1/n) Σ_i ℓ_i                      forward over reverse
    gauss_newton  (1/n) Σ_i J_iᵀ (∂²ℓ_i/∂f²) J_i            forward, then reverse
    fisher        (1/n) Σ_i g_i g_iᵀ                        likewise

Exact; the cost of a few gradients each (Pearlmutter 1994; Schraudolph 2002).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from infojax.information.influence_functions.losses import Loss, value

Curvature: TypeAlias = Literal["gauss_newton", "fisher", "hessian"]


def product(
    curvature: Curvature,
    loss: Loss,
    outputs: Callable[[Any, Any], Any],
    w: Float[Array, " P"],
    x: Float[Array, "b ..."],
    y: Float[Array, "b k"],
    v: Float[Array, " P"],
) -> Float[Array, " P"]:
    """Curvature times `v`, of the mean over the examples given; `outputs(w, x)` takes flat parameters."""
    each = jax.vmap(partial(value, loss))
    if curvature == "hessian":
        slope = jax.grad(lambda w: each(outputs(w, x), y).mean())
        return jax.jvp(slope, (w,), (v,))[1]
    inner = (lambda w: outputs(w, x)) if curvature == "gauss_newton" else (lambda w: each(outputs(w, x), y))
    made, moved = jax.jvp(inner, (w,), (v,))
    if curvature == "gauss_newton":
        moved = jax.jvp(jax.grad(lambda f: each(f, y).sum()), (made,), (moved,))[1]
    _, pull_back = jax.vjp(inner, w)
    return pull_back(moved / len(x))[0]


def all_products(curvature: Curvature, loss: Loss, outputs: Any, w: Any, x: Any, y: Any) -> Float[Array, "P P"]:
    """The matrix itself, for networks so small that it fits."""
    return jax.lax.map(partial(product, curvature, loss, outputs, w, x, y), jnp.eye(len(w), dtype=w.dtype))
