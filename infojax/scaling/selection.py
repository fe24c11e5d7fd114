"""Which examples of a pool are kept: rules that look at the margin t = w_s·x of a pruning direction w_s."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfinv, ndtri
from jaxtyping import Array, ArrayLike, Bool, Float

from infojax.errors import InvalidInput
from infojax.precision import traced


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Selection:
    """A symmetric rule that keeps a fraction p of standard Gaussian examples.

    A pytree whose only leaf is the fraction, so that it passes through `jit`, `vmap` and `grad`. Made by
    `keep_hard`, `keep_easy`, `keep_random` and `keep_all`, which check p.

    Attributes:
        rule: "hard" keeps |t| ≤ ξ, "easy" keeps |t| > ξ, "random" tosses a coin for each example.
        fraction: p in (0, 1]; any shape.
    """

    rule: str = field(metadata={"static": True})
    fraction: Any  # not an array type: JAX rebuilds pytrees with placeholders for leaves

    def threshold(self) -> Float[Array, "..."]:
        """ξ with P(|t| ≤ ξ) = p (hard), P(|t| > ξ) = p (easy), 0 (random), for t ~ N(0, 1)."""
        p = jnp.asarray(self.fraction, jnp.result_type(float))
        if self.rule == "hard":
            # ξ = √2 erf⁻¹(p), kept finite at p = 1 by stopping half a unit of rounding below
            return np.sqrt(2).astype(p.dtype) * erfinv(jnp.minimum(p, 1 - jnp.finfo(p.dtype).eps / 2))
        if self.rule == "easy":
            return -ndtri(p / 2)
        return jnp.zeros_like(p)

    def keeps(self, margin: Float[Array, " n"], coin: Float[Array, " n"]) -> Bool[Array, " n"]:
        """Which of n examples are kept, given their margins w_s·x and uniform(0, 1) coins."""
        if self.rule == "random":
            return coin < jnp.asarray(self.fraction, coin.dtype)
        threshold = self.threshold().astype(margin.dtype)
        return jnp.abs(margin) <= threshold if self.rule == "hard" else jnp.abs(margin) > threshold


def keep_hard(p: ArrayLike) -> Selection:
    """Keep the fraction p of examples nearest to the pruner's decision boundary: |w_s·x| ≤ ξ(p).

    Raises `InvalidInput` if a given p is outside (0, 1].

    >>> round(float(keep_hard(0.5).threshold()), 4)
    0.6745
    """
    return Selection("hard", _checked(p))


def keep_easy(p: ArrayLike) -> Selection:
    """Keep the fraction p of examples farthest from the pruner's decision boundary: |w_s·x| > ξ(p).

    Raises `InvalidInput` if a given p is outside (0, 1].
    """
    return Selection("easy", _checked(p))


def keep_random(p: ArrayLike) -> Selection:
    """Keep each example with probability p, whatever it is.

    Raises `InvalidInput` if a given p is outside (0, 1].
    """
    return Selection("random", _checked(p))


def keep_all() -> Selection:
    """Keep every example."""
    return Selection("random", 1.0)


def _checked(p: ArrayLike) -> ArrayLike:
    if not traced(p):
        outside = ~((np.asarray(p) > 0) & (np.asarray(p) <= 1))
        if outside.any():
            raise InvalidInput(
                f"the kept fraction p is {np.asarray(p)[outside].flat[0]!r}, and must be in (0, 1]: "
                "0.2 keeps a fifth of the pool, keep_all() keeps it whole"
            )
    return p
