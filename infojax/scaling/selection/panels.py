"""Quadrature on panels between breakpoints, for integrands that are smooth inside and may be steep at the ends."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

# The tanh-sinh rule on [0, 1] (Takahasi & Mori, 1974): nodes crowd towards both ends faster than any layer is thin.
_STEP = 0.09
_T = _STEP * np.arange(-36, 37)
_ANGLE = np.pi / 2 * np.sinh(_T)
_NODES = 1 / (1 + np.exp(-2 * _ANGLE))
_WEIGHTS = _STEP * np.pi / 4 * np.cosh(_T) / np.cosh(_ANGLE) ** 2


def panels(edges: Float[Array, " edges"]) -> tuple[Float[Array, " nodes"], Float[Array, " nodes"]]:
    """Nodes and weights of ∫ f from the first to the last of the ascending edges; panels may be empty.

    >>> nodes, weights = panels(jnp.array([0.0, 1.0, 4.0]))
    >>> round(float(weights @ jnp.sqrt(nodes)), 4)
    5.3333
    """
    widths = jnp.diff(edges)
    nodes = edges[:-1, None] + jnp.outer(widths, jnp.asarray(_NODES, edges.dtype))
    weights = jnp.outer(widths, jnp.asarray(_WEIGHTS, edges.dtype))
    return nodes.ravel(), weights.ravel()
