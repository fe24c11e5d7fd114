"""How far guided samplers are from the distribution that they are meant to sample, e^{ωH} P.

Deliberate Practice (arXiv 2502.15588), section 3, guides a diffusion model by the entropy H of the current learner's
prediction, evaluated at x̂₀, and measures what the learner gains. Here P is a Gaussian mixture in the plane, so its
score, e^{ωH} P and the exact guidance are known; the learner is a small network trained on a few hundred examples.
Tables: `targets`, exact; `methods`, what each sampler gives and costs; `examples` and `field`, for pictures, of the
first mixture.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.files import kept
from infojax.generation import (
    Cost,
    Mixture,
    Samples,
    cosine,
    ddim,
    diversity,
    exact_tilt,
    gaussian_mixture,
    h_transform,
    mean_entropy,
    mixture_generator,
    normalised,
    plug_in,
    probability_flow,
    sample,
    sample_by_rejection,
    sample_by_smc,
    sample_exactly,
    squared_mmd,
    total_variation,
    total_variation_floor,
)
from infojax.models import mlp
from infojax.training import AdamW, Learner, Recipe, entropy, train, training_set

SAMPLERS = {"η = 0": ddim(0.0), "η = 0.5": ddim(0.5), "η = 1": ddim(1.0), "ODE": probability_flow()}
NETWORK = mlp(hidden=(16,), outputs=1, activation=jnp.tanh)
RECIPE = Recipe(steps=500, rate=1e-2, optimizer=AdamW())
SCHEDULE = cosine()
DRAWN = 2.0
"""The strength at which examples are drawn."""


@dataclass(frozen=True)
class Config:
    """The paper has no such measurement; all of this is ours."""

    mixtures: int = 1
    """Mixtures of four Gaussians on a ring, in turn of two classes, each with its own learner."""
    samples: int = 3000
    """Drawn by each method."""
    steps: int = 50
    """Of the samplers."""
    radius: float = 1.6
    """Of the ring; standard deviations are about 0.35."""
    training: int = 300
    """Examples that the learner is trained on."""
    strengths: tuple[float, ...] = (-2.0, 0.0, 1.0, 2.0, 4.0, 6.0)
    """ω of e^{ωH}; 0 is no guidance."""
    exact_strengths: tuple[float, ...] = (2.0, 6.0)
    """ω of the exact h-transform, the slowest here."""
    exact_samplers: tuple[str, ...] = ("η = 0", "η = 1")
    """Of the h-transform."""
    points: int = 8
    """Of its quadrature, in each dimension."""
    normalised_strengths: tuple[float, ...] = (0.03, 0.05, 0.1, 0.3)
    """ω of the authors' normalised step, with their 30 steps of which every fifth is guided."""
    normalised_steps: tuple[int, ...] = (30, 300)
    """Steps with ω = 0.05, every fifth guided."""
    fine_steps: tuple[int, ...] = (400,)
    """More steps of the plug-in guidance, to tell its own bias from that of large steps."""
    kept: tuple[int, ...] = (2, 5, 9, 18)
    """r: of r generated examples the one of the largest entropy is kept, from the whole set."""
    bandwidth: float = 0.5
    """Of the Gaussian kernel of MMD and diversity."""
    pairs: int = 1500
    """Samples of which MMD and diversity are measured; they take the square of that."""
    seed: int = 0


PRESETS = {
    "quick": Config(),
    "paper": Config(
        mixtures=6,
        samples=10_000,
        pairs=10_000,
        steps=100,
        exact_strengths=(-2.0, 1.0, 2.0, 4.0, 6.0),
        exact_samplers=("η = 0", "η = 0.5", "η = 1", "ODE"),
        normalised_steps=(30, 100, 300, 500),
        fine_steps=(200, 400, 800, 1600),
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    methods = []
    arms = [(index, method) for index in range(config.mixtures) for method in METHODS]
    setting = cache(partial(_setting, config))
    for index, method in progress.track(arms, description="sampling"):
        name = f"{index}-{method.__name__}"
        file, what = scratch / f"{name}.parquet", f"{config!r}, {name}"
        methods.append(kept(file, what, _sampled, config, setting, index, method))
    first = setting(0)
    return {
        "targets": pl.concat(_targets(config, index, setting(index)) for index in range(config.mixtures)),
        "methods": pl.concat(methods, how="diagonal_relaxed"),
        "examples": _examples(config, first),
        "field": _field(first),
    }


def _sampled(config: Config, setting: Callable[[int], "Setting"], index: int, method: Any) -> pl.DataFrame:
    rows = [{"mixture": index} | row for row in method(config, setting(index))]
    return pl.DataFrame(rows, infer_schema_length=None)


@dataclass(frozen=True, eq=False)
class Setting:
    mixture: Mixture
    learner: Learner
    target: Callable[[float], Any]
    """ω → the exact tilt."""
    reference: Callable[[float], Any]
    """ω → exact samples of it, (n, 2)."""
    key: Any


def _setting(config: Config, index: int) -> Setting:
    key = jax.random.fold_in(jax.random.key(config.seed), index)
    rng = np.random.default_rng([config.seed, index])
    angle = np.arange(4) * np.pi / 2 + rng.uniform(-0.2, 0.2, 4)
    means = config.radius * rng.uniform(0.85, 1.15, (4, 1)) * np.stack([np.cos(angle), np.sin(angle)], 1)
    root = 0.3 * rng.normal(size=(4, 2, 2))
    covariances = root @ root.swapaxes(1, 2) + 0.05 * np.eye(2)
    mixture = gaussian_mixture(rng.uniform(0.5, 1.5, 4), means, covariances, [0, 1, 0, 1])
    labels = rng.integers(0, 2, config.training)
    x = sample_exactly(mixture, labels, key=jax.random.fold_in(key, 0))
    untrained = Learner(NETWORK, NETWORK.init(jax.random.fold_in(key, 1), (2,)))
    learner = train(untrained, training_set(x, labels), RECIPE).learner
    reference = cache(lambda strength: _rejected(config, mixture, learner, strength, jax.random.fold_in(key, 2)).x)
    return Setting(
        mixture, learner, cache(partial(exact_tilt, mixture, learner)), reference, jax.random.fold_in(key, 3)
    )


def _any_class(config: Config) -> np.ndarray:
    return np.full(config.samples, 2)


def _rejected(config: Config, mixture: Mixture, learner: Learner, strength: float, key: Any) -> Samples:
    # proposals are exact, and charged as what a sampler would take
    def propose(labels: np.ndarray, key: Any) -> Samples:
        return Samples(sample_exactly(mixture, labels, key=key), Cost(score=config.steps * len(labels)))

    return sample_by_rejection(
        propose, _any_class(config), learner, strength, key=key, batch=config.samples // 8, limit=100_000
    )


def _row(config: Config, at: Setting, method: str, x: Any, cost: Cost, **more: Any) -> dict[str, Any]:
    """Measures of one sample, against the tilt of strength ω, or of equal mean entropy where ω means something else."""
    found = mean_entropy(at.learner, x)
    row = {"method": method, "strength": None, "sampler": None, "entropy": found.value, "entropy_stderr": found.stderr}
    row |= {
        "diversity": diversity(x[: config.pairs], config.bandwidth),
        "target": None,
        "mmd": None,
        "mmd_stderr": None,
    }
    row |= {"steps": config.steps} | more
    if row["strength"] is not None:
        row["target"] = at.target(row["strength"]).entropy
        reference = at.reference(row["strength"])
        mmd = squared_mmd(x[: config.pairs], reference[: config.pairs], config.bandwidth)
        row |= {"mmd": mmd.value, "mmd_stderr": mmd.stderr}
    matched = _matched(at, found.value) if row["strength"] is None else row["strength"]
    row["matched"] = matched
    row["total_variation"] = None if matched is None else total_variation(x, at.target(matched))
    each = {name: getattr(cost, name) / len(x) for name in ("score", "score_gradient", "learner")}
    return row | each


def _matched(at: Setting, wanted: float) -> float | None:
    """ω of the tilt with this mean entropy, interpolated; None beyond ω = 24."""
    strengths = np.array([-2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0])
    entropies = np.array([at.target(float(strength)).entropy for strength in strengths])
    return float(np.interp(wanted, entropies, strengths)) if wanted < entropies[-1] else None


def _drawn(config: Config, at: Setting, sampler: str, guidance: Any, steps: int | None = None) -> Samples:
    return sample(
        mixture_generator(at.mixture, SCHEDULE),
        _any_class(config),
        key=at.key,
        steps=steps or config.steps,
        sampler=SAMPLERS[sampler],
        guidance=guidance,
    )


def plugged_in(config: Config, at: Setting) -> Iterator[dict[str, Any]]:
    for sampler in SAMPLERS:
        for strength in config.strengths:
            drawn = _drawn(config, at, sampler, plug_in(at.learner, strength))
            yield _row(config, at, "plug-in", *drawn, strength=strength, sampler=sampler)


def plugged_in_finely(config: Config, at: Setting) -> Iterator[dict[str, Any]]:
    for steps in config.fine_steps:
        for sampler in ("η = 0", "η = 1"):
            for strength in (DRAWN, config.strengths[-1]):
                drawn = _drawn(config, at, sampler, plug_in(at.learner, strength), steps)
                yield _row(config, at, "plug-in", *drawn, strength=strength, sampler=sampler, steps=steps)


def exactly_guided(config: Config, at: Setting) -> Iterator[dict[str, Any]]:
    for sampler in config.exact_samplers:
        for strength in config.exact_strengths:
            guidance = h_transform(at.mixture, at.learner, strength, points=config.points)
            drawn = _drawn(config, at, sampler, guidance)
            yield _row(config, at, "h-transform", *drawn, strength=strength, sampler=sampler)


def as_the_authors(config: Config, at: Setting) -> Iterator[dict[str, Any]]:
    arms = [(strength, 30) for strength in config.normalised_strengths]
    for strength, steps in dict.fromkeys([*arms, *((0.05, steps) for steps in config.normalised_steps)]):
        drawn = _drawn(config, at, "η = 1", normalised(at.learner, strength), steps)
        yield _row(config, at, "normalised", *drawn, length=strength, steps=steps, sampler="η = 1")


def rejected(config: Config, at: Setting) -> Iterator[dict[str, Any]]:
    for strength in config.strengths:
        drawn = _rejected(config, at.mixture, at.learner, strength, at.key)
        yield _row(config, at, "rejection", *drawn, strength=strength)


def by_particles(config: Config, at: Setting) -> Iterator[dict[str, Any]]:
    generator = mixture_generator(at.mixture, SCHEDULE)
    for strength in config.strengths:
        found = sample_by_smc(generator, _any_class(config), at.learner, strength, key=at.key, steps=config.steps)
        yield _row(config, at, "SMC", found.x, found.cost, strength=strength, sampler="η = 1", distinct=found.distinct)


def pruned(config: Config, at: Setting) -> Iterator[dict[str, Any]]:
    for r in config.kept:
        x = _pruned(config, at, r)
        yield _row(config, at, "prune", x, Cost(score=config.steps * r * len(x), learner=r * len(x)), ratio=r)


def _pruned(config: Config, at: Setting, r: int) -> Any:
    # the same pool for all r, the first of it: one program
    pool = sample_exactly(at.mixture, np.full(config.samples * max(config.kept), 2), key=at.key)
    order = np.argsort(-np.asarray(entropy(at.learner, pool))[: config.samples * r])
    return np.asarray(pool)[order[: config.samples]]


METHODS = (plugged_in, plugged_in_finely, exactly_guided, as_the_authors, rejected, by_particles, pruned)


def _targets(config: Config, index: int, at: Setting) -> pl.DataFrame:
    rows = []
    for strength in sorted({0.0, *config.strengths}):
        tilt = at.target(strength)
        floor = total_variation_floor(tilt, config.samples)
        rows.append((index, strength, tilt.entropy, tilt.normaliser, floor.value, floor.stderr))
    names = ["mixture", "strength", "entropy", "normaliser", "floor", "floor_deviation"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _examples(config: Config, at: Setting) -> pl.DataFrame:
    exact = h_transform(at.mixture, at.learner, DRAWN, points=config.points)
    drawn = {
        "P itself": sample_exactly(at.mixture, _any_class(config), key=at.key),
        "exact tilt, by rejection": at.reference(DRAWN),
        "h-transform, η = 1": _drawn(config, at, "η = 1", exact).x,
        "plug-in, η = 1": _drawn(config, at, "η = 1", plug_in(at.learner, DRAWN)).x,
        "plug-in, η = 0": _drawn(config, at, "η = 0", plug_in(at.learner, DRAWN)).x,
        f"hardest 1 of {config.kept[0]}": _pruned(config, at, config.kept[0]),
    }
    tables = [
        pl.DataFrame({"sample": name, "x": np.asarray(x[:1500, 0]), "y": np.asarray(x[:1500, 1])})
        for name, x in drawn.items()
    ]
    return pl.concat(tables)


def _field(at: Setting) -> pl.DataFrame:
    """The learner's log odds on a grid."""
    across, up = (np.linspace(edges[0], edges[-1], 80) for edges in at.target(0.0).edges)
    x, y = (each.reshape(-1) for each in np.meshgrid(across, up))
    odds = NETWORK.apply(at.learner.params, jnp.asarray(np.stack([x, y], 1), jnp.float32))[:, 0]
    return pl.DataFrame({"x": x, "y": y, "log_odds": np.asarray(odds)})
