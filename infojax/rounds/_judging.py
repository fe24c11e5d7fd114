"""What a learner says of examples, in tiles: classes and entropies; and whether guidance by it makes sense."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from infojax.errors import InvalidInput
from infojax.training import Learner, log_probabilities

TILE = 4096
# A range of entropies below this is rounding in float32: there is nothing to follow, or to rank by.
FLAT = 1e-6


class Judgement(NamedTuple):
    """The class that a learner predicts for each example, and the entropy of its prediction in nats."""

    label: Int[np.ndarray, " n"]
    entropy: Float[np.ndarray, " n"]


def judge(learner: Learner, x: Float[np.ndarray, "n ..."]) -> Judgement:
    """Each example judged; a tile of examples at a time.

    Raises:
        InvalidInput: a learner whose log probabilities are not finite.
    """
    tiles = [_judge(learner, jnp.asarray(x[start : start + TILE])) for start in range(0, len(x), TILE)]
    label, entropy = (np.concatenate(parts) for parts in zip(*tiles, strict=True))
    if not np.isfinite(entropy).all():
        raise InvalidInput(
            f"the learner's entropy is not finite for {np.sum(~np.isfinite(entropy))} of {len(x)} examples; lower its "
            "learning_rate, and check that the examples are finite."
        )
    return Judgement(label, entropy)


@jax.jit
def _judge(learner: Learner, x: Array) -> tuple[Array, Array]:
    log_p = log_probabilities(learner, x)
    return log_p.argmax(1), -jnp.sum(jnp.exp(log_p) * log_p, axis=1)


def unusable(judged: Judgement) -> str:
    """Why a learner with these judgements of validation data cannot say what is hard: "collapsed", "flat" or ""."""
    if len(np.unique(judged.label)) == 1:
        return "collapsed"
    return "flat" if np.ptp(judged.entropy) < FLAT else ""
