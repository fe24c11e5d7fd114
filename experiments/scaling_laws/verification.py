"""Test error of a learner on synthetic data that a verifier has filtered, against how many of its labels are wrong.

Feng et al. (arXiv 2406.07515): as examples become many, the error jumps where wrong labels become the majority of what
the verifier keeps, ε* = 1/(1 + ψ/φ). Tables: `points`, simulated with standard errors beside the law; `lines`, the law
alone. Part "verifier": several verifiers without real data; part "real": one verifier, and some real data.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.files import kept
from infojax.scaling import MixtureProblem, deviations, mixture_law, simulate_mixture

PROBLEM = ("ratio", "flips", "keep_correct", "keep_wrong", "real_fraction")


@dataclass(frozen=True)
class Config:
    """A Gaussian of each class, as in the paper; its sizes and verifiers are not known to us, ours span the effect."""

    dimension: int = 100
    """d, of the examples."""
    ratios: tuple[float, ...] = (0.5, 0.05)
    """d/n that are simulated, n all examples before verification; real data are added at the last."""
    limit: float = 1e-4
    """d/n of a further line, near the jump of infinitely many examples."""
    verifiers: tuple[tuple[float, float], ...] = ((1.0, 1.0), (1.0, 0.5), (0.8, 0.2), (0.5, 1.0))
    """φ and ψ, fractions of rightly and of wrongly labelled synthetic examples that are kept."""
    real_fractions: tuple[float, ...] = (0.0, 0.1, 0.3, 0.6)
    """Of n, that are real; their labels are right."""
    real_verifier: tuple[float, float] = (1.0, 1.0)
    """φ and ψ where real data are added."""
    signal: float = 1.0
    """Half the distance between the classes, in units of the noise of a coordinate."""
    ridge: float = 1e-2
    """λ, relative to 1/n."""
    noises: tuple[float, ...] = (0.0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    """ε, fractions of synthetic labels that are wrong, which are simulated."""
    repeats: int = 12
    """Data sets drawn for each point."""
    seed: int = 0
    """Of the data sets."""


PRESETS = {
    "quick": Config(),
    "paper": Config(dimension=400, noises=tuple(round(0.05 * i, 2) for i in range(21)), repeats=100),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    measured = []
    for index, setting in enumerate(progress.track(_settings(config), description="simulating")):
        cells = _cells([setting], np.asarray(config.noises))
        measured.append(_simulated(config, cells, index, scratch))
    limits = [{**setting, "ratio": config.limit} for setting in _settings(config, config.ratios[-1:])]
    lines = _cells([*_settings(config), *limits], np.linspace(0, 1, 241))
    return {"points": deviations(_with_law(config, pl.concat(measured))), "lines": _with_law(config, lines)}


def _settings(config: Config, ratios: tuple[float, ...] | None = None) -> list[dict[str, Any]]:
    """All but the noise of each line."""
    verifiers = [
        {"part": "verifier", "ratio": ratio, "keep_correct": right, "keep_wrong": wrong, "real_fraction": 0.0}
        for ratio in ratios or config.ratios
        for right, wrong in config.verifiers
    ]
    right, wrong = config.real_verifier
    return verifiers + [
        {"part": "real", "ratio": ratio, "keep_correct": right, "keep_wrong": wrong, "real_fraction": real}
        for ratio in config.ratios[-1:]
        for real in config.real_fractions
    ]


def _cells(settings: list[dict[str, Any]], noises: np.ndarray) -> pl.DataFrame:
    """The settings at each noise that leaves anything to keep, with ε*, where half of the labels kept are wrong."""
    cells = pl.DataFrame(settings).join(pl.DataFrame({"flips": noises}), how="cross")
    real, right, wrong = (pl.col(name) for name in ("real_fraction", "keep_correct", "keep_wrong"))
    return cells.with_columns(breakdown=(right + real / (1 - real)) / (right + wrong)).filter(
        real + (1 - pl.col("flips")) * right + pl.col("flips") * wrong > 0
    )


def _with_law(config: Config, cells: pl.DataFrame) -> pl.DataFrame:
    problem = {name: cells[name].to_numpy() for name in PROBLEM}
    law = mixture_law(MixtureProblem(**problem, signal=config.signal, ridge=config.ridge))
    return cells.with_columns(error_law=np.asarray(law.error))


def _simulated(config: Config, cells: pl.DataFrame, index: int, scratch: Path) -> pl.DataFrame:
    """One line's points; kept in a file of `scratch`."""

    def errors() -> dict[str, list[float]]:
        found = simulate_mixture(
            MixtureProblem(
                **{name: cells[name].to_numpy() for name in PROBLEM}, signal=config.signal, ridge=config.ridge
            ),
            dimension=config.dimension,
            repeats=config.repeats,
            key=jax.random.fold_in(jax.random.key(config.seed), index),
        )
        return {"error": found.mean.error.tolist(), "error_stderr": found.stderr.error.tolist()}

    found = kept(scratch / f"line-{index}.json", f"{config!r}, line {index}", errors)
    return cells.with_columns(**{name: pl.Series(values) for name, values in found.items()})
