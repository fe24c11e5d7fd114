"""Sequential Monte Carlo: the sampler's own steps, and a resampling that favours what the learner will be unsure of."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.generation._generator import Generator
from infojax.generation.sampling.draw import checked
from infojax.generation.sampling.drawn import Cost
from infojax.generation.sampling.guidance import finite
from infojax.generation.sampling.steps import Level, between, levels, variance_given_x0
from infojax.training import Learner, entropy


class Particles(NamedTuple):
    """What `sample_by_smc` gives.

    Attributes:
        x: (n, *shape), equally weighted; copies of one another among them, as the last resampling makes some.
        cost: of all.
        distinct: how many different ones there are.
        effective: (steps + 1,) effective sample size before each decision to resample, as a share of the particles of
            a label, for the label where it was smallest.
    """

    x: Float[Array, "n ..."]
    cost: Cost
    distinct: int
    effective: Float[np.ndarray, " decisions"]


def sample_by_smc(
    generator: Generator,
    labels: Int[Array | np.ndarray, " n"],
    learner: Learner,
    strength: float,
    *,
    key: PRNGKeyArray,
    steps: int = 50,
    eta: float = 1.0,
    threshold: float = 0.5,
    tile: int = 256,
) -> Particles:
    """Particles from e^{ωH} P(· | label), the more exactly the more there are of a label.

    DDIM draws from P. A particle weighs ψ_t = e^{ω ξ_t H(x̂₀)}, what is expected of it, over what it weighed a step
    before; where the effective number of a label's particles falls below the threshold, they are resampled
    (systematically) by weight. At the end ψ = e^{ωH(x₀)}, so errors of x̂₀ and of the annealing ξ_t cost variance, but
    no bias as n → ∞ (Del Moral et al. 2006; Wu et al. 2023). Particles are dependent; standard errors of independent
    ones are too small.

    Args:
        generator, labels, steps, tile: as for `sample`.
        learner: whose entropy is wanted. No derivative of it or of the generator is needed.
        strength: ω.
        eta: of DDIM, above 0: copies must part again.
        threshold: share of effective particles below which they are resampled, from 0, only at the end, to 1.

    Raises:
        InvalidInput: arguments out of range; or weights that are not finite, which says when.
    """
    labels = checked(generator, labels, steps, 0.0, tile)
    strength = finite("sample_by_smc", strength)
    if not (0 < eta <= 1 and 0 <= threshold <= 1):
        raise InvalidInput(f"sample_by_smc: eta={eta}, threshold={threshold}; give 0 < eta ≤ 1 and 0 ≤ threshold ≤ 1")
    # particles of a label stand together
    order = np.argsort(labels, kind="stable")
    x, effective = _run(
        generator,
        learner,
        strength,
        float(eta),
        float(threshold),
        jnp.asarray(labels[order], jnp.int32),
        key,
        steps=steps,
        tile=tile,
    )
    effective = np.asarray(effective)
    if not np.isfinite(effective).all():
        first = int(np.flatnonzero(~np.isfinite(effective))[0])
        t = levels(generator.schedule, steps).t[min(first, steps - 1)]
        raise InvalidInput(
            f"sample_by_smc: weights are not finite at t = {float(t):.4g}; check the generator's prediction and the "
            "learner's entropy there"
        )
    n = len(labels)
    cost = Cost(score=n * steps, learner=n * (steps + 1))
    distinct = len(np.unique(np.asarray(x).reshape(n, -1), axis=0))
    return Particles(x[np.argsort(order)], cost, distinct, effective)


@partial(jax.jit, static_argnames=("steps", "tile"))
def _run(
    generator: Generator,
    learner: Learner,
    strength: Array | float,
    eta: Array | float,
    threshold: Array | float,
    labels: Int[Array, " n"],
    key: PRNGKeyArray,
    *,
    steps: int,
    tile: int,
) -> tuple[Float[Array, "n ..."], Float[Array, " decisions"]]:
    every = levels(generator.schedule, steps)
    now, then = (jax.tree.map(lambda level, part=part: level[part], every) for part in (slice(-1), slice(1, None)))
    in_tiles = partial(_in_tiles, tile)

    def step(
        state: tuple[Array, Array, Array], at: tuple[Level, Level, PRNGKeyArray]
    ) -> tuple[tuple[Array, Array, Array], Array]:
        (x, log_weight, before), (now, then, key) = state, at
        for_choice, for_noise = jax.random.split(key)

        def look(x: Array, label: Array) -> tuple[Array, Array]:
            noise = generator.noise(x, now.t, label).astype(x.dtype)
            clean = (x - jnp.sqrt(now.noise) * noise) / jnp.sqrt(now.signal)
            return noise, strength * now.signal * entropy(learner, clean)

        noise: Array
        log_twist: Array
        noise, log_twist = in_tiles(look, x, labels)
        log_weight = log_weight + log_twist - before
        chosen, resampled, effective = resample(log_weight, labels, generator.classes + 1, threshold, for_choice)
        log_weight = jnp.where(resampled, 0.0, log_weight)
        variance = eta**2 * variance_given_x0(now, then)
        mean = between(x[chosen], noise[chosen], now, then, variance)
        moved = mean + jnp.sqrt(variance) * jax.random.normal(for_noise, x.shape)
        return (moved, log_weight, log_twist[chosen]), effective

    for_start, for_steps, for_end = jax.random.split(key, 3)
    n = len(labels)
    x = jax.random.normal(for_start, (n, *generator.shape))
    start = x, jnp.zeros(n, x.dtype), jnp.zeros(n, x.dtype)
    (x, log_weight, before), effective = jax.lax.scan(step, start, (now, then, jax.random.split(for_steps, steps)))
    log_twist = in_tiles(lambda x, _: strength * entropy(learner, x), x, labels)
    log_weight = log_weight + log_twist - before
    chosen, _, last = resample(log_weight, labels, generator.classes + 1, 1.0, for_end)
    return x[chosen], jnp.append(effective, last)


def resample(
    log_weight: Float[Array, " n"],
    labels: Int[Array, " n"],
    groups: int,
    threshold: Array | float,
    key: PRNGKeyArray,
) -> tuple[Int[Array, " n"], Bool[Array, " n"], Float[Array, ""]]:
    """Systematic resampling within each label whose share of effective particles, 1/(n Σ w²), is below the threshold.

    Args:
        log_weight: (n,), of particles sorted by label.
        groups: labels are below it.

    Returns:
        Which particle stands in each place, whether it was resampled, and the smallest share.
    """
    n = len(labels)
    total = partial(jax.ops.segment_sum, segment_ids=labels, num_segments=groups, indices_are_sorted=True)
    highest = jax.ops.segment_max(log_weight, labels, groups, indices_are_sorted=True)
    weight = jnp.exp(log_weight - highest[labels])
    count = total(jnp.ones_like(weight))
    share = total(weight) ** 2 / (total(weight**2) * count)
    share = jnp.where(count > 0, share, 1.0)
    # a label's weights sum to its number of particles, so that its places are drawn from its own; once for all labels
    expected = weight * (count / total(weight))[labels]
    at = jnp.arange(n, dtype=weight.dtype) + jax.random.uniform(key, dtype=weight.dtype)
    chosen = jnp.searchsorted(jnp.cumsum(expected), at, side="right").astype(jnp.int32)
    end = jnp.cumsum(count).astype(jnp.int32)[labels]
    start = end - count.astype(jnp.int32)[labels]
    resampled = (share <= threshold)[labels]
    chosen = jnp.where(resampled, jnp.clip(chosen, start, end - 1), jnp.arange(n, dtype=jnp.int32))
    return chosen, resampled, share.min()


def _in_tiles(
    tile: int, function: Callable[[Array, Array], Any], x: Float[Array, "n ..."], labels: Int[Array, " n"]
) -> Any:
    n, tile = len(x), min(tile, len(x))
    padding = -n % tile
    x, labels = jnp.concatenate([x, x[:padding]]), jnp.concatenate([labels, labels[:padding]])
    tiled = jax.lax.map(
        lambda each: function(*each),
        (x.reshape(-1, tile, *x.shape[1:]), labels.reshape(-1, tile)),
    )
    return jax.tree.map(lambda each: each.reshape(-1, *each.shape[2:])[:n], tiled)
