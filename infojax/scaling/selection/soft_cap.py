"""The soft rule: keep with probability min(1, c v(t)^ω), where v(t) = 4σ(t)σ(−t) and c makes the mean p."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf, erfc
from jaxtyping import Array, Float

from infojax.scaling._roots import root
from infojax.scaling.selection.panels import panels

REACH = 12.0  # beyond it a standard normal has no weight in float64


class SoftCap(NamedTuple):
    """The rule as Q(t) = min(1, exp(level + ω log v(t)))."""

    level: Float[Array, "..."]  # log c
    strength: Float[Array, "..."]  # ω
    threshold: Float[Array, "..."]  # |t| where c v^ω = 1, 0 where it is below 1 everywhere

    def probability(self, margin: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.exp(jnp.minimum(self.level + self.strength * _log_variance(margin), 0))


def soft_cap(p: Float[Array, "..."], strength: Float[Array, "..."]) -> SoftCap:
    """c and the threshold, so that E min(1, c v(t)^ω) = p for t ~ N(0, 1)."""
    shape = jnp.broadcast_shapes(p.shape, strength.shape)
    flat = [jnp.broadcast_to(value, shape).ravel() for value in (p, strength)]
    return SoftCap(*(value.reshape(shape) for value in jax.vmap(_cap)(*flat)))


def _cap(p: Float[Array, ""], strength: Float[Array, ""]) -> SoftCap:
    """log c lies between that of certainty even for the least likely margin, and that of p where none is certain."""
    least = -strength * _log_variance(jnp.asarray(REACH, p.dtype))
    low, high = jnp.log(p) + jnp.minimum(least, 0), jnp.maximum(least, 0)
    level = root(lambda level: _kept(level, strength) - p, low, high)
    return SoftCap(level, strength, _threshold(level, strength))


def _kept(level: Float[Array, ""], strength: Float[Array, ""]) -> Float[Array, ""]:
    """E Q(t): what is certain, in closed form, and the rest by quadrature."""
    cap = SoftCap(level, strength, _threshold(level, strength))
    edge, zero = cap.threshold, jnp.zeros_like(level)
    hard = strength >= 0
    root_half = np.sqrt(0.5).astype(level.dtype)
    certain = jnp.where(hard, erf(root_half * edge), erfc(root_half * edge))
    ends = jnp.where(hard, jnp.stack([edge, edge + reach(strength)]), jnp.stack([zero, edge]))
    nodes, weights = panels(ends)
    return certain + weights @ (density(nodes) * cap.probability(nodes))


def reach(strength: Float[Array, ""]) -> Float[Array, ""]:
    """How far from the threshold φ(t) v(t)^ω is not negligible: near 0 it is a Gaussian of variance 1/(1 + ω/2)."""
    return REACH / jnp.sqrt(1 + jnp.maximum(strength, 0) / 2)


def _threshold(level: Float[Array, ""], strength: Float[Array, ""]) -> Float[Array, ""]:
    """|t| where level + ω log v(t) = 0: with v = 1/cosh²(t/2), t = 2 arcosh exp(level/2ω)."""
    ratio = level / jnp.where(strength == 0, 1, 2 * strength)
    crosses = (strength != 0) & (ratio > 0)
    safe = jnp.where(crosses, ratio, 1.0)
    edge = 2 * (safe + jnp.log1p(jnp.sqrt(-jnp.expm1(-2 * safe))))
    # an easy rule whose c v^ω is below 1 within reach is capped where nothing is left
    return jnp.where(crosses, jnp.minimum(edge, REACH), 0.0)


def _log_variance(margin: Float[Array, "..."]) -> Float[Array, "..."]:
    """log 4σ(t)σ(−t) = −2 log cosh(t/2), in a form whose derivative at 0 has no rounding."""
    return -jnp.log1p(jnp.sinh(margin / 2) ** 2)


def density(size: Float[Array, "..."]) -> Float[Array, "..."]:
    """2φ(u), of the absolute value of a standard normal."""
    return np.sqrt(2 / np.pi).astype(size.dtype) * jnp.exp(-(size**2) / 2)
