"""Drawing examples from a generator: one compiled program over tiles of examples and steps of the sampler."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from infojax.arrays import array_of_reals
from infojax.errors import InvalidInput
from infojax.generation._generator import Generator
from infojax.generation.sampling.drawn import Cost, Samples, Unfinished
from infojax.generation.sampling.guidance import Instant
from infojax.generation.sampling.steps import Level, ddim, levels

DDIM = ddim(eta=1.0)


def sample(
    generator: Generator,
    labels: Int[Array | np.ndarray, " n"],
    *,
    key: PRNGKeyArray,
    steps: int = 50,
    sampler: Partial = DDIM,
    guidance: Partial | None = None,
    class_guidance: float = 0.0,
    tile: int = 256,
) -> Samples:
    """Draw an example for each label.

    Compiled once for each generator's functions, sampler, guidance, number of labels and steps, whatever the
    parameters, η, ω, λ and key. An example depends on the key and its place alone: not on `tile`, nor on what follows.

    Args:
        labels: 0 to k − 1, or k for an example of any class.
        steps: times at which the score is evaluated, from t = 1 to 0; the last gives x̂₀.
        sampler: `ddim(eta)`, `ancestral()` or `probability_flow()`.
        guidance: `plug_in`, `normalised` or `h_transform`; None draws from the generator's own distribution.
        class_guidance: λ of ε = (1 + λ) ε_label − λ ε_any (Ho and Salimans 2022); 0 evaluates the score once only.
        tile: examples drawn at once.

    Raises:
        InvalidInput: labels, steps, λ or tile out of range.
        Unfinished: a score or a guidance that is not finite; it carries the examples that are.

    >>> from infojax.generation import cosine, from_score
    >>> normal = from_score(lambda x, t, label: -x, shape=(2,), classes=1, schedule=cosine())
    >>> sample(normal, np.zeros(10, int), key=jax.random.key(0), steps=5).x.shape
    (10, 2)
    """
    labels = checked(generator, labels, steps, class_guidance, tile)
    n, tile = len(labels), min(tile, len(labels))
    tiles = -(-n // tile)
    padded = np.concatenate([labels, np.full(tiles * tile - n, labels[0])]).reshape(tiles, tile)
    x, failed, each = _run(
        generator,
        jnp.asarray(padded, jnp.int32),
        key,
        sampler,
        guidance,
        float(class_guidance),
        steps=steps,
        classified=class_guidance != 0,
    )
    samples = Samples(x.reshape(-1, *generator.shape)[:n], each.times(n))
    failed = np.asarray(failed).reshape(-1)[:n]
    if (failed >= 0).any():
        raise _failure(generator, labels, samples, failed, steps, guidance is not None)
    return samples


@partial(jax.jit, static_argnames=("steps", "classified"))
def _run(
    generator: Generator,
    labels: Int[Array, "tiles tile"],
    key: PRNGKeyArray,
    sampler: Partial,
    guidance: Partial | None,
    class_guidance: Array | float,
    *,
    steps: int,
    classified: bool,
) -> tuple[Float[Array, "tiles tile ..."], Int[Array, "tiles tile"], Cost]:
    """Examples, the step at which each ceased to be finite or −1, and the cost of one example."""
    every = levels(generator.schedule, steps)
    now, then = (jax.tree.map(lambda level, part=part: level[part], every) for part in (slice(-1), slice(1, None)))

    def one_tile(given: tuple[Array, Array]) -> tuple[Array, Array, Cost]:
        label, keys = given

        def step(state: tuple[Array, Array], at: tuple[Level, Level, Array]) -> tuple[tuple[Array, Array], Cost]:
            (x, failed), (now, then, index) = state, at
            predict = partial(_predict, generator, label, guidance, class_guidance, classified, index)
            moved: Array
            moved, cost = sampler(predict, x, now, then, lambda: _normal(keys, index + 1, generator.shape))
            finite = jnp.isfinite(moved).reshape(len(moved), -1).all(1)
            failed = jnp.where((failed < 0) & ~finite, index, failed)
            going = (failed < 0).reshape(-1, *[1] * (x.ndim - 1))
            return (jnp.where(going, moved, x), failed), jax.tree.map(jnp.asarray, cost)

        start = _normal(keys, jnp.zeros((), jnp.int32), generator.shape), jnp.full(len(label), -1, jnp.int32)
        (x, failed), costs = jax.lax.scan(step, start, (now, then, jnp.arange(steps, dtype=jnp.int32)))
        return x, failed, jax.tree.map(jnp.sum, costs)

    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(labels.size)).reshape(labels.shape)
    x, failed, cost = jax.lax.map(one_tile, (labels, keys))
    return x, failed, jax.tree.map(lambda each: each[0], cost)


def _normal(keys: Shaped[Array, " b"], step: Int[Array, ""], shape: tuple[int, ...]) -> Float[Array, "b ..."]:
    return jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, step), shape))(keys)


def _predict(
    generator: Generator,
    label: Int[Array, " b"],
    guidance: Partial | None,
    class_guidance: Array | float,
    classified: bool,
    step: Int[Array, ""],
    x: Float[Array, "b ..."],
    level: Level,
) -> tuple[Float[Array, "b ..."], Float[Array, "b ..."], Cost]:
    def conditional(x: Array) -> Array:
        return generator.noise(x, level.t, label).astype(x.dtype)

    def extrapolated(x: Array) -> Array:
        free = generator.noise(x, level.t, jnp.full_like(label, generator.classes)).astype(x.dtype)
        return (1 + class_guidance) * conditional(x) - class_guidance * free

    noise, evaluations = (extrapolated, 2) if classified else (conditional, 1)
    if guidance is None:
        return x, noise(x), Cost(score=evaluations)
    return guidance(Instant(noise, conditional, evaluations, level, step, label), x)


def checked(generator: Generator, labels: Any, steps: int, class_guidance: float, tile: int) -> np.ndarray:
    labels = array_of_reals("sample: labels", labels)
    if labels.ndim != 1 or not len(labels) or (labels != np.round(labels)).any():
        raise InvalidInput(f"sample: labels of shape {labels.shape}; give whole numbers (n,) with n ≥ 1")
    outside = (labels < 0) | (labels > generator.classes)
    if outside.any():
        raise InvalidInput(
            f"sample: label {labels[outside][0]} is not among the classes 0 to {generator.classes - 1}, "
            f"or {generator.classes} for any"
        )
    if steps < 2 or tile < 1:
        raise InvalidInput(f"sample: steps={steps}, tile={tile}; give at least two steps, and tiles of one example")
    if not np.isfinite(class_guidance):
        raise InvalidInput(f"sample: class_guidance={class_guidance} must be finite; 0 is none")
    return labels


def _failure(
    generator: Generator, labels: np.ndarray, samples: Samples, failed: np.ndarray, steps: int, guided: bool
) -> Unfinished:
    """Says whose fault it was: the score is evaluated once more where the first example got stuck."""
    broken = failed >= 0
    first = int(np.flatnonzero(broken)[failed[broken].argmin()])
    t = levels(generator.schedule, steps).t[failed[first]]
    label = jnp.asarray(labels[first : first + 1], jnp.int32)
    score = bool(jnp.isfinite(generator.noise(samples.x[first : first + 1], t, label)).all())
    blame = ("guidance" if guided else "step") if score else "score"
    remedy = {
        "score": "check the generator's prediction there, in float32",
        "guidance": "check the learner's entropy and its gradient, or lower the strength",
        "step": "check the generator's prediction at other labels and times",
    }[blame]
    return Unfinished(
        f"sample: the {blame} is not finite, first at t = {float(t):.4g}, in the end for {broken.sum()} of "
        f"{len(broken)} examples; {remedy}. The finished examples are in this error's `samples` and `finished`.",
        samples,
        ~broken,
    )
