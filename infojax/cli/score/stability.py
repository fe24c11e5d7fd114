"""Whether gradient descent will diverge, before the kernel is built: the largest eigenvalue from below.

For any v, s_max ≥ vᵀΘv / ‖v‖² = ‖Jᵀv‖² / ‖v‖². A few power iterations v ← J Jᵀ v bring that near to s_max, for the
price of a few passes through the network; what diverges for the smaller number diverges.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from infojax.errors import InvalidInput
from infojax.models import Network, Params

ITERATIONS = 6
# Examples in a pass, and what float32 may have made too large.
BATCH, ROUNDING = 64, 1e-3


def require_stable(
    network: Network, params: Params, x: Any, rate: float, decay: float, *, kept: int, outputs: int
) -> None:
    """Raise `InvalidInput` where descent is sure to diverge.

    Args:
        network, params: whose kernel it is.
        x: (n, …) the examples.
        rate: the learning_rate asked for.
        decay: in the convention of the loss.
        kept: examples that the loss is a mean over when one is left out; 1 where it is a sum.
        outputs: k.
    """
    least = largest_at_least(network, params, x, outputs)
    product = rate * (least / kept + decay)
    if product >= 2:
        raise InvalidInput(
            f"Gradient descent with learning_rate {rate:.6g} diverges: η s_max is at least {product:.4g}, where s_max "
            "is the largest eigenvalue of the kernel plus decay. Use a learning_rate below about "
            f"{2 * rate / product:.3g}, or leave it out for one that is stable."
        )


def largest_at_least(network: Network, params: Params, x: Any, outputs: int) -> float:
    """A lower bound of the largest eigenvalue of the kernel on the examples x (n, …), often within a few percent."""
    count = -(-len(x) // BATCH)
    filled = np.zeros((count * BATCH, *np.shape(x)[1:]), np.float32)
    filled[: len(x)] = x
    present = (np.arange(count * BATCH) < len(x)).astype(np.float32).reshape(count, BATCH, 1)
    batches = filled.reshape(count, BATCH, *filled.shape[1:])
    found = float(_power(network.apply, params, jnp.asarray(batches), jnp.asarray(present), outputs))
    return max(0.0, found * (1 - ROUNDING)) if np.isfinite(found) else 0.0


@partial(jax.jit, static_argnames=("apply", "outputs"))
def _power(apply, params, batches, present, outputs):
    def pulled(v):  # Jᵀv, summed over the batches
        def add(total, batch):
            x, one = batch
            _, pull = jax.vjp(lambda p: apply(p, x), params)
            return jax.tree.map(jnp.add, total, pull(one)[0]), None

        return jax.lax.scan(add, jax.tree.map(jnp.zeros_like, params), (batches, v))[0]

    def pushed(g):  # J g
        return jax.lax.map(lambda x: jax.jvp(lambda p: apply(p, x), (params,), (g,))[1], batches) * present

    def step(v, _):
        v = v / jnp.maximum(jnp.sqrt(jnp.sum(v**2)), 1e-30)
        g = pulled(v)
        return pushed(g), sum(jnp.sum(leaf.astype(jnp.float32) ** 2) for leaf in jax.tree.leaves(g))

    # Outputs that weigh the same, or one more than the others, are not orthogonal to what matters.
    weights = 1 + jnp.arange(outputs, dtype=jnp.float32) / outputs
    _, found = jax.lax.scan(step, present * weights[None, None], None, length=ITERATIONS)
    return jnp.max(found)
