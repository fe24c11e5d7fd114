"""From the options of `infojax curve` to infojax.scaling: for each law the function that gives it and its simulation.

A problem holds the law's numbers by name (for the law, that which is swept is an array; for the simulation none), and
`rule`, `hold`, `label_aware`, `labels`, `dimension` and `over`, as far as the law has them.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from infojax.errors import InvalidInput

Problem = dict[str, Any]


def selection_of(problem: Problem) -> Any:
    """The rule of a problem; with "all", nothing is thrown away."""
    from infojax.scaling import keep_easy, keep_hard, keep_random, soft

    if problem["rule"] == "soft":
        return soft(problem["kept"], problem["strength"])
    return {"hard": keep_hard, "easy": keep_easy, "random": keep_random}[problem["rule"]](problem["kept"])


def arguments_of(problem: Problem, *names: str) -> dict[str, Any]:
    """Arguments of a law, ratio and ridge relative to the pool."""
    scale = problem["kept"] if problem.get("hold") == "kept" else 1.0
    posed = {name: problem[name] for name in names if problem.get(name) is not None}
    return posed | {name: posed[name] * scale for name in ("ratio", "ridge") if name in posed}


RIDGE = ("pruner", "ratio", "ridge", "generator", "pruner_generator", "noise", "flips", "label_aware", "labels")


def ridge(problem: Problem, run: Callable[..., Any] | None = None, **size: Any) -> Any:
    from infojax.scaling import ridge_law

    if np.any(np.asarray(problem["generator"]) != 1) and problem.get("pruner_generator") is None:
        raise InvalidInput(
            "a --generator that is not 1 labels otherwise than the truth, so its cosine with the pruner is needed too: "
            "give --pruner-generator"
        )
    return (run or ridge_law)(selection_of(problem), **arguments_of(problem, *RIDGE), **size)


def simulate_ridge(problem: Problem, **size: Any) -> Any:
    from infojax.scaling import simulate_ridge

    # With one size of the pool, drawing all of it compiles one program for each rule.
    whole = problem["rule"] == "soft" or (problem["hold"] == "pool" and problem["over"] != "ratio")
    run = partial(simulate_ridge, dimension=problem["dimension"], draw="pool" if whole else "kept")
    return ridge(problem, run, **size)


PRACTICE = ("first_ratio", "added_ratio", "ridge")


def practice(problem: Problem) -> Any:
    """The learner after the last round, which may be another for each point."""
    from infojax.scaling import PracticeLaw, practice_law

    last = _whole(problem, "rounds", 0)
    law = practice_law(selection_of(problem), rounds=int(last.max()), **arguments_of(problem, *PRACTICE))
    return PracticeLaw(*(field[..., last] for field in law))


def simulate_practice(problem: Problem, **size: Any) -> Any:
    """All rounds up to the one that is asked for."""
    from infojax.scaling import simulate_practice

    dimension = problem["dimension"]
    return simulate_practice(
        selection_of(problem),
        dimension=dimension,
        start=round(dimension / problem["first_ratio"]),
        added=round(dimension / problem["added_ratio"]),
        rounds=int(_whole(problem, "rounds", 0)),
        ridge=problem["ridge"],
        **size,
    )


TWO_STAGE = ("first_ratio", "second_ratio", "ridge")


def two_stage(problem: Problem) -> Any:
    from infojax.scaling import two_stage_law

    return two_stage_law(selection_of(problem), **arguments_of(problem, *TWO_STAGE))


def simulate_two_stage(problem: Problem, **size: Any) -> Any:
    from infojax.scaling import simulate_two_stage

    arguments = arguments_of(problem, *TWO_STAGE)
    return simulate_two_stage(selection_of(problem), **arguments, dimension=problem["dimension"], **size)


def _perceptron_arguments(problem: Problem) -> dict[str, Any]:
    from infojax.scaling import require

    kept, random = problem["kept"], problem["rule"] == "random"
    require("kept", kept, lambda v: (v > 0) & (v <= 1), "the part of the pool that is kept, in (0, 1]")
    require("angle", problem["angle"], lambda v: (v >= 0) & (v <= 90), "in degrees, in [0, 90]")
    return {
        "alpha_kept": problem["alpha"] * (1.0 if problem["hold"] == "kept" else kept),
        "fraction": np.ones_like(kept) if random else kept,  # thinned at random is a smaller pool
        "angle": np.radians(problem["angle"]),
        "keep": "hard" if random else problem["rule"],
    }


def perceptron(problem: Problem) -> Any:
    from infojax.scaling import perceptron_law

    return perceptron_law(**_perceptron_arguments(problem))


def simulate_perceptron(problem: Problem, **size: Any) -> Any:
    from infojax.scaling import simulate_perceptron

    return simulate_perceptron(**_perceptron_arguments(problem), dimension=problem["dimension"], **size)


MIXTURE = ("ratio", "signal", "label_noise", "keep_correct", "keep_wrong", "real_fraction", "ridge")


def mixture(problem: Problem) -> Any:
    from infojax.scaling import mixture_law

    return mixture_law(**arguments_of(problem, *MIXTURE))


def simulate_mixture(problem: Problem, **size: Any) -> Any:
    from infojax.scaling import simulate_mixture

    return simulate_mixture(**arguments_of(problem, *MIXTURE), dimension=problem["dimension"], **size)


RELABELLING = ("pruner", "ratio", "ridge", "flips", "label_aware")


def relabelling(problem: Problem) -> Any:
    """The learner of the last generation, which may be another for each point."""
    from infojax.scaling import RelabellingLaw, relabelling_law

    last = _whole(problem, "generations", 1)
    arguments = arguments_of(problem, *RELABELLING)
    chain = relabelling_law(selection_of(problem), generations=int(last.max()), **arguments)
    return RelabellingLaw(*(field[..., last - 1] for field in chain))


def simulate_relabelling(problem: Problem, **size: Any) -> Any:
    """All generations up to the one that is asked for."""
    from infojax.scaling import simulate_relabelling

    last = int(_whole(problem, "generations", 1))
    arguments = arguments_of(problem, *RELABELLING) | {"generations": last, "dimension": problem["dimension"]}
    return simulate_relabelling(selection_of(problem), **arguments, **size)


def _whole(problem: Problem, name: str, least: int) -> np.ndarray:
    given = np.asarray(problem[name])
    if np.any(given != np.rint(given)) or np.any(given < least):
        raise InvalidInput(f"--{name} {given.flat[0]:g}: give a whole number, {least} or more")
    return given.astype(int)


ANISOTROPIC = ("ridge", "noise", "flips", "label_aware", "labels")


def anisotropic(problem: Problem) -> Any:
    """One call for each spectrum and pruner."""
    from infojax.scaling import RidgeLaw, anisotropic_law

    arguments = arguments_of(problem, "ratio", *ANISOTROPIC)
    samples = problem["dimension"] / arguments.pop("ratio")
    exponents, pruners = np.broadcast_arrays(np.atleast_1d(problem["exponent"]), np.atleast_1d(problem["pruner"]))
    laws = []
    for exponent, pruner in zip(exponents.tolist(), pruners.tolist(), strict=True):
        directions = _directions(exponent, pruner, problem["dimension"])
        laws.append(anisotropic_law(selection_of(problem), samples=samples, **directions, **arguments))
    return laws[0] if len(laws) == 1 else RidgeLaw(*(np.stack(field) for field in zip(*laws, strict=True)))


def simulate_anisotropic(problem: Problem, **size: Any) -> Any:
    from infojax.scaling import simulate_anisotropic

    arguments = arguments_of(problem, "ratio", *ANISOTROPIC)
    samples = round(problem["dimension"] / arguments.pop("ratio"))
    directions = _directions(problem["exponent"], problem["pruner"], problem["dimension"])
    return simulate_anisotropic(selection_of(problem), samples=samples, **directions, **arguments, **size)


def _directions(exponent: float, cosine: float, dimension: int) -> dict[str, np.ndarray]:
    """A truth with equal parts in all eigendirections, and a pruner whose margins correlate with it by the cosine.

    What the pruner adds has alternating signs, so that it is spread over the spectrum as the truth is.
    """
    from infojax.scaling import power_spectrum, require

    require("pruner", cosine, lambda v: np.abs(v) <= 1, "a cosine, in [-1, 1]")
    if dimension < 2:
        raise InvalidInput(f"--dimension {dimension}: truth and pruner need at least 2 dimensions, better 200")
    spectrum, truth = power_spectrum(dimension, exponent), np.ones(dimension)
    other = (-1.0) ** np.arange(dimension)
    other -= spectrum @ other / spectrum.sum() * truth  # without covariance with the truth
    other *= np.sqrt(spectrum.sum() / (spectrum @ other**2))
    return {"spectrum": spectrum, "truth": truth, "pruner": cosine * truth + np.sqrt(1 - cosine**2) * other}
