"""Which examples of a pool are kept: rules that look at the margin t = w_s·x of a pruning direction w_s."""

import sys
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfinv, ndtri
from jaxtyping import Array, ArrayLike, Bool, Float

from infojax.arrays import plain_array, require_real, traced
from infojax.errors import InvalidInput
from infojax.scaling._batched import withheld
from infojax.scaling.selection.soft_cap import soft_cap

# Fractions are no smaller, and other numbers of laws no larger than its inverse: float64 holds their squares.
RESOLVED = 1e-100
RULES = ("hard", "easy", "random", "all", "soft")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Selection:
    """A symmetric rule that keeps a fraction p of standard Gaussian examples.

    A pytree whose leaves are the fraction kept and the strength, so that it passes through `jit`, `vmap` and `grad`.
    Made by `keep_hard`, `keep_easy`, `keep_random`, `keep_all`, `soft` and `named_rule`, which check them.

    Attributes:
        rule: "hard" keeps |t| ≤ ξ, "easy" keeps |t| > ξ, "random" tosses the same coin for each example, "soft" one
            that depends on its margin.
        kept: p in (0, 1], the fraction that is kept; any shape.
        strength: ω of the soft rule, positive for hard and negative for easy examples; any shape.
        weighted: whether the learner weighs each kept example by one over its probability of being kept.
    """

    rule: str = field(metadata={"static": True})
    kept: Any  # not an array type: JAX rebuilds pytrees with placeholders for leaves
    strength: Any = 0.0
    weighted: bool = field(default=False, metadata={"static": True})

    def threshold(self) -> Float[Array, "..."]:
        """ξ with P(|t| ≤ ξ) = p (hard), P(|t| > ξ) = p (easy), 0 (random), for t ~ N(0, 1).

        Of the soft rule: up to where (ω > 0), or from where (ω < 0), every example is kept.
        """
        p = jnp.asarray(self.kept, jnp.result_type(float))
        if self.rule == "soft":
            return soft_cap(p, jnp.asarray(self.strength, p.dtype)).threshold
        if self.rule == "hard":
            # ξ = √2 erf⁻¹(p), kept finite at p = 1 by stopping half a unit of rounding below
            return np.sqrt(2).astype(p.dtype) * erfinv(jnp.minimum(p, 1 - jnp.finfo(p.dtype).eps / 2))
        if self.rule == "easy":
            return -ndtri(p / 2)
        return jnp.zeros_like(p)

    def probability(self, margin: Float[Array, " n"]) -> Float[Array, " n"]:
        """With which probability an example of a given margin w_s·x is kept."""
        p = jnp.asarray(self.kept, margin.dtype)
        if self.rule == "soft":
            return soft_cap(p, jnp.asarray(self.strength, margin.dtype)).probability(margin)
        if self.rule == "random":
            return jnp.full_like(margin, 1) * p
        threshold = self.threshold().astype(margin.dtype)
        kept = jnp.abs(margin) <= threshold if self.rule == "hard" else jnp.abs(margin) > threshold
        return kept.astype(margin.dtype)

    def keeps(self, margin: Float[Array, " n"], coin: Float[Array, " n"]) -> Bool[Array, " n"]:
        """Which of n examples are kept, given their margins w_s·x and uniform(0, 1) coins."""
        return coin < self.probability(margin)


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


def named_rule(rule: str, p: ArrayLike = 1.0, strength: ArrayLike = 0.0) -> Selection:
    """The rule of a name: "hard", "easy", "random", "soft", with its strength, or "all", whatever p.

    >>> named_rule("hard", 0.2) == keep_hard(0.2)
    True
    """
    if rule not in RULES:
        raise InvalidInput(f"there is no rule {rule!r}; rules are {', '.join(RULES)}")
    if rule == "all":
        return keep_all()
    return soft(p, strength) if rule == "soft" else Selection(rule, _checked(p))


def soft(p: ArrayLike, strength: ArrayLike, *, weighted: bool = False) -> Selection:
    """Keep an example of margin t = w_s·x with probability min(1, c (4σ(t)σ(−t))^strength), c such that p are kept.

    σ is the logistic function, so that 4σ(t)σ(−t) is the variance of the label that a pruner of unit slope sees,
    relative to the largest. A positive strength prefers hard examples, a negative one easy ones, 0 is
    `keep_random(p)`, and ±∞ would be `keep_hard(p)` and `keep_easy(p)`. The family of Kolossov, Montanari & Tandon
    (arXiv 2309.14563), as used in Deliberate Practice.

    Args:
        p: fraction that is kept, in (0, 1].
        strength: in [−100, 100].
        weighted: the learner weighs each kept example by one over the probability that it had of being kept, so that
            its loss is the whole pool's on average.

    Raises `InvalidInput` if p or the strength is outside its range.

    >>> [round(float(q), 3) for q in soft(0.3, 2.0).probability(jnp.array([0.0, 1.0, 2.0]))]
    [0.418, 0.259, 0.074]
    """
    if traced(strength):
        given = jnp.asarray(strength, jnp.result_type(float))
        strength = withheld(~(jnp.abs(given) <= 100), given)
    elif not np.all(np.abs(strength := real_numbers("strength", strength)) <= 100):
        raise InvalidInput(
            f"strength={strength} of a soft rule must be in [-100, 100]; beyond, use keep_hard(p) or keep_easy(p)"
        )
    return Selection("soft", _checked(p), strength, weighted)


def _checked(p: ArrayLike) -> ArrayLike:
    if traced(p):
        # What cannot be refused is NaN, and so is all that is computed of it.
        given = jnp.asarray(p, jnp.result_type(float))
        return withheld(~((given > 0) & (given <= 1)), given)
    p = real_numbers("p", p)
    outside = ~((np.asarray(p) >= RESOLVED) & (np.asarray(p) <= 1))
    if outside.any():
        raise InvalidInput(
            f"the kept fraction p is {float(np.asarray(p)[outside].flat[0])!r}, and must be in (0, 1], at least "
            f"{RESOLVED:g}: 0.2 keeps a fifth of the pool, keep_all() keeps it whole"
        )
    return p


def real_numbers(name: str, value: ArrayLike) -> Any:
    """A number as it is, anything else as an array of float64; no list, which would be many leaves of a pytree.

    Raises `InvalidInput` for what is not made of real numbers.
    """
    if isinstance(value, float | int):
        if abs(value) > sys.float_info.max and isinstance(value, int):
            raise InvalidInput(f"{name} is an integer too large for float64: give at most {1 / RESOLVED:g}")
        return value
    array = plain_array(name, value)
    require_real(name, array)
    return array.astype(np.float64)
