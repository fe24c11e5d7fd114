"""A network with its parameters, what it says of examples, and how unsure it is of them."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from infojax.models import Network, Params
from infojax.training._losses import log_softmax


@partial(jax.tree_util.register_dataclass, data_fields=["params"], meta_fields=["network"])
@dataclass(frozen=True)
class Learner:
    """A network with its parameters; a pytree, so that programs do not depend on what it has learned.

    Attributes:
        network: with one output, the log odds of class 1 over class 0, or with one for each of k classes.
        params: its parameters.
    """

    network: Network
    params: Params


def log_probabilities(learner: Learner, x: Float[Array, "b ..."]) -> Float[Array, "b k"]:
    """log p(class | x), for k ≥ 2 classes.

    >>> odds = Network(lambda key, shape: jnp.ones(shape), lambda w, x: x @ w[:, None])
    >>> jnp.exp(log_probabilities(Learner(odds, jnp.ones(1)), jnp.zeros((1, 1))))
    Array([[0.5, 0.5]], dtype=float32)
    """
    return log_softmax(learner.network.apply(learner.params, x))


def entropy(learner: Learner, x: Float[Array, "b ..."]) -> Float[Array, " b"]:
    """H = −Σ_c p_c log p_c of the learner's prediction, in nats, from 0 to log k."""
    log_p = log_probabilities(learner, x)
    return -jnp.sum(jnp.exp(log_p) * log_p, axis=1)
