"""Rejection: draw from P, keep with probability e^{ωH}/max e^{ωH}. As exact as the draws from P; cost is counted."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from infojax.arrays import plain_array
from infojax.errors import InvalidInput
from infojax.generation.sampling.drawn import Cost, Samples, Unfinished
from infojax.generation.sampling.guidance import finite
from infojax.training import Learner, entropy, log_probabilities

Propose = Callable[[np.ndarray, PRNGKeyArray], Samples]


def sample_by_rejection(
    propose: Propose,
    labels: Int[Array | np.ndarray, " n"],
    learner: Learner,
    strength: float,
    *,
    key: PRNGKeyArray,
    batch: int | None = None,
    limit: int = 1000,
) -> Samples:
    """Draw from e^{ωH} P(· | label), as exactly as `propose` draws from P(· | label).

    Proposals come in batches, as many for each label still wanted as there is room, and each is kept with probability
    e^{ω(H − log k)} for ω > 0, e^{ωH} for ω < 0, k the learner's classes: on average E e^{ωH}/k^ω of them. So it
    fails where ω log k is large; then use `h_transform` or `sample_by_smc`.

    Args:
        propose: labels (batch,), key → Samples; for example
            `lambda labels, key: sample(generator, labels, key=key)`.
        labels: as for `sample`.
        learner: whose entropy is wanted.
        strength: ω.
        batch: proposals at once; None for n. The last batch is for few labels, so smaller ones waste less.
        limit: batches at most.

    Returns:
        Examples in the order of the labels, and the cost of all proposals.

    Raises:
        InvalidInput: no labels, or ω not finite.
        Unfinished: the limit was reached; it carries what was kept.

    >>> from infojax.generation import empirical, sample_exactly
    >>> from infojax.models import mlp
    >>> data, network = empirical(np.eye(3), np.arange(3), 0.1), mlp(hidden=(), outputs=3)
    >>> learner = Learner(network, network.init(jax.random.key(0), (3,)))
    >>> draw = lambda labels, key: Samples(sample_exactly(data, labels, key=key), Cost())
    >>> sample_by_rejection(draw, np.zeros(5, int), learner, 2.0, key=jax.random.key(1)).x.shape
    (5, 3)
    """
    labels, strength = plain_array("sample_by_rejection: labels", labels), finite("sample_by_rejection", strength)
    n = len(labels)
    batch = n if batch is None else batch
    if n == 0 or batch < 1 or limit < 1:
        raise InvalidInput(f"sample_by_rejection: {n} labels, batch={batch}, limit={limit}; each must be at least 1")
    wanted, cost, kept, proposed = np.arange(n), Cost(), np.zeros(0), 0
    for step in range(limit):
        for_proposals, for_choice = jax.random.split(jax.random.fold_in(key, step))
        place = np.resize(wanted, batch)
        x, more = propose(labels[place], for_proposals)
        cost, proposed = cost + more + Cost(learner=batch), proposed + batch
        good = np.flatnonzero(_kept(learner, strength, x, for_choice))
        # the first one kept for each place; np.unique gives the first index
        places, first = np.unique(place[good], return_index=True)
        kept = kept if kept.size else np.zeros((n, *x.shape[1:]), x.dtype)
        kept[places] = np.asarray(x)[good[first]]
        wanted = np.setdiff1d(wanted, places, assume_unique=True)
        if not len(wanted):
            return Samples(jnp.asarray(kept), cost)
    finished = np.ones(n, bool)
    finished[wanted] = False
    raise Unfinished(
        f"sample_by_rejection: {finished.sum()} of {n} examples after {proposed} proposals; they are in this error's "
        f"`samples` and `finished`. Give a larger limit than {limit}, a smaller strength than {strength:g}, or use "
        "h_transform or sample_by_smc",
        Samples(jnp.asarray(kept), cost),
        finished,
    )


@jax.jit
def _kept(learner: Learner, strength: Array | float, x: Float[Array, "n ..."], key: PRNGKeyArray) -> Bool[Array, " n"]:
    highest = jnp.log(float(jax.eval_shape(log_probabilities, learner, x).shape[1]))
    bound = jnp.where(strength > 0, strength * highest, 0.0)
    return jnp.log(jax.random.uniform(key, (len(x),))) < strength * entropy(learner, x) - bound
