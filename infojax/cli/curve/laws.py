"""The laws that `infojax curve` draws: what each takes, and by which functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infojax.cli.curve import problems
from infojax.cli.curve.problems import Problem


@dataclass(frozen=True)
class Law:
    """What `infojax curve` knows of a law."""

    says: str
    over: str  # what is swept unless asked otherwise
    numbers: dict[str, float | None]  # that it takes, and their defaults
    options: dict[str, Any]  # those of rules, hold, label_aware, labels that it takes, and their defaults
    quantities: tuple[str, ...]
    law: Callable[[Problem], Any]
    simulate: Callable[..., Any]  # problem, repeats=, key=
    dimension: int = 200
    repeats: int = 16
    unsimulated: tuple[str, ...] = ()  # rules that the simulation does not know
    places: int = 300  # of the law along the axis
    chain: str | None = None  # the number all of whose smaller values a simulation passes through
    first: int = 1  # the smallest of those


LEARNER = ("error", "accuracy", "mse", "overlap", "norm")

LAWS = {
    "ridge": Law(
        "ridge regression on a selected part of a pool of Gaussian examples",
        "kept",
        {
            "kept": 0.3, "pruner": 1.0, "ratio": 0.35, "ridge": 1e-2, "strength": 2.0, "generator": 1.0,
            "pruner_generator": None, "noise": 0.0, "flips": 0.0,
        },
        {"rules": ("hard", "easy"), "hold": "pool", "label_aware": False, "labels": "sign"},
        LEARNER, problems.ridge, problems.simulate_ridge,
    ),
    "two-stage": Law(
        "deliberate practice: ridge regression on random examples and on those that its first fit selected",
        "kept",
        {"kept": 0.3, "first_ratio": 0.33, "second_ratio": 0.33, "ridge": 0.05, "strength": 2.0},
        {"rules": ("hard", "all")},
        ("error", "accuracy", "overlap", "norm", "pruner"), problems.two_stage, problems.simulate_two_stage,
        unsimulated=("soft",),
    ),
    "practice": Law(
        "deliberate practice: ridge regression in rounds, each adding examples that the current fit selected",
        "rounds",
        {
            "kept": 0.2, "first_ratio": 0.4, "added_ratio": 0.67, "ridge": 0.05, "strength": 2.0, "rounds": 5,
        },
        {"rules": ("hard", "all")},
        ("error", "accuracy", "overlap", "norm"), problems.practice, problems.simulate_practice,
        unsimulated=("soft",), chain="rounds", first=0,
    ),
    "perceptron": Law(
        "the perceptron of largest margin on a pruned pool",
        "alpha",
        {"kept": 0.3, "alpha": 5.0, "angle": 0.0},
        {"rules": ("hard", "easy", "all"), "hold": "pool"},
        ("error", "accuracy", "overlap", "margin"), problems.perceptron, problems.simulate_perceptron,
        dimension=60, places=80,
    ),
    "mixture": Law(
        "ridge regression on real data mixed with synthetic data that a verifier has filtered",
        "label_noise",
        {
            "ratio": 0.1, "signal": 1.0, "label_noise": 0.4, "keep_correct": 0.8, "keep_wrong": 0.2,
            "real_fraction": 0.0, "ridge": 0.1,
        },
        {},
        ("error", "accuracy", "overlap", "norm"), problems.mixture, problems.simulate_mixture,
    ),
    "relabelling": Law(
        "a chain of learners, each trained on labels of the one before it",
        "generations",
        {"kept": 0.5, "pruner": 0.9, "ratio": 0.2, "ridge": 1e-2, "strength": 2.0, "flips": 0.0, "generations": 8},
        {"rules": ("all", "hard", "easy"), "label_aware": False},
        ("error", "accuracy", "pruner_overlap"), problems.relabelling, problems.simulate_relabelling,
        chain="generations",
    ),
    "anisotropic": Law(
        "ridge regression on selected examples of unequal variances",
        "kept",
        {
            "kept": 0.3, "pruner": 1.0, "ratio": 0.35, "ridge": 1e-2, "strength": 2.0, "exponent": 1.0, "noise": 0.0,
            "flips": 0.0,
        },
        {"rules": ("hard", "easy"), "hold": "pool", "label_aware": False, "labels": "sign"},
        LEARNER, problems.anisotropic, problems.simulate_anisotropic, places=80,
    ),
}  # fmt: skip
