"""The numbers of problems: what each means, which values it may have, and how it is drawn along.

Those of several laws are here; one that a single law has stands beside its problem. Nothing here imports JAX, as help
texts are made of it too.
"""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import ArrayLike
else:
    ArrayLike = Any


@dataclass(frozen=True)
class Range:
    """From low to high, without those where it is open."""

    low: float | int
    high: float | int
    above: bool = False
    below: bool = False

    def holds(self, value: ArrayLike) -> Any:
        """Where a number is in the range; it compares, and calls no functions, so that tracers may be given."""
        values: Any = value
        over = values > self.low if self.above else values >= self.low
        return over & (values < self.high if self.below else values <= self.high)


@dataclass(frozen=True)
class Number:
    """What a number of a problem is."""

    help: str
    range: Range
    meaning: str  # what it must be, in the words of a refusal
    axis: str  # what stands below it where it is drawn along
    symbol: str  # in titles and legends
    low: float  # where the axis begins and ends, unless asked otherwise
    high: float | int
    logarithmic: bool = False
    silent: float | None = None  # the value of which titles say nothing
    unit: str = ""
    relative: Literal["pool", "kept"] | None = None  # to which number of examples
    of_kept: tuple[str, str] | None = None  # axis and symbol where it is relative to those that are kept


@dataclass(frozen=True)
class Rules:
    """Which rules of selection a law knows."""

    known: tuple[str, ...]
    usual: tuple[str, ...]  # drawn where none is asked for
    unsimulated: tuple[str, ...] = ()
    weighted: bool = False  # whether it knows weights, and rules made by `weigh_by`


COSINES, SHARES = Range(-1, 1), Range(0, 1)
POSITIVE, NOT_NEGATIVE = Range(0, np.inf, above=True, below=True), Range(0, np.inf, below=True)

COSINE, PROBABILITY = "a cosine, in [-1, 1]", "a probability, in [0, 1]"
SMALLEST = "≥ 0; 0 is the minimum-norm limit"

# fmt: off
KEPT = Number(
    "Fraction of the pool that is kept.", Range(0, 1, above=True), "in (0, 1]",
    "fraction kept, p", "p", 0.02, 1.0,
)
STRENGTH = Number(
    "Strength of the rule soft: positive prefers hard examples, negative easy ones, 0 is random.",
    Range(-100, 100), "in [-100, 100]", "strength of the soft rule, ω", "ω", -6.0, 6.0,
)
PRUNER = Number(
    "Cosine of the pruning direction with the truth: 1 is a perfect pruner, 0 knows nothing.", COSINES, COSINE,
    "cosine of the pruner with the truth", "pruner", 0.0, 1.0,
)
RATIO = Number(
    "d/n, dimensions per example.", POSITIVE, "d/n > 0, dimensions per example of the pool",
    "dimensions per example of the pool, d/n", "d/n", 0.05, 5.0, logarithmic=True,
)
POOL_RATIO = dataclasses.replace(
    RATIO, relative="pool", of_kept=("dimensions per kept example, d/pn", "d/pn")
)
RIDGE = Number(
    "Strength of the ridge penalty, relative to a loss averaged over the examples.", NOT_NEGATIVE, SMALLEST,
    "ridge, λ", "λ", 1e-6, 10.0, logarithmic=True,
)
POOL_RIDGE = dataclasses.replace(
    RIDGE, relative="pool", of_kept=("ridge relative to the examples kept, λ'", "λ'")
)
POSITIVE_RIDGE = dataclasses.replace(RIDGE, range=POSITIVE, meaning="positive; 1e-8 is as good as none")
GENERATOR = Number(
    "Cosine of the labels' direction with the truth: 1 labels everything rightly.", COSINES, COSINE,
    "cosine of the labels with the truth", "generator", 0.0, 1.0, silent=1.0,
)
PRUNER_GENERATOR = Number(
    "Cosine of the pruner with the labels' direction; needed where generator is not 1.", COSINES, COSINE,
    "cosine of the pruner with the labels", "pruner·generator", 0.0, 1.0,
)
NOISE = Number(
    "Standard deviation of the noise of linear labels.", NOT_NEGATIVE, "a standard deviation ≥ 0",
    "noise of the labels", "noise", 0.0, 2.0, silent=0.0,
)
FLIPS = Number(
    "Probability that a label is flipped.", SHARES, PROBABILITY,
    "fraction of labels flipped", "flips", 0.0, 0.5, silent=0.0,
)
FIRST_RATIO = Number(
    "d/n₀, dimensions per random example of the first stage.", POSITIVE, "d/n₀ > 0",
    "dimensions per first example, d/n₀", "d/n₀", 0.05, 5.0, logarithmic=True,
)
SECOND_RATIO = Number(
    "d/n₁, dimensions per example that the first learner selected.", POSITIVE, "d/n₁ > 0",
    "dimensions per selected example, d/n₁", "d/n₁", 0.05, 5.0, logarithmic=True,
)
ADDED_RATIO = Number(
    "d/n₁, dimensions per example that each round adds.", POSITIVE, "d/n₁ > 0",
    "dimensions per example of a round, d/n₁", "d/n₁", 0.05, 5.0, logarithmic=True,
)
ROUNDS = Number(
    "Rounds of practice.", Range(0, 1000), "from 0, for the first learner alone, to 1000",
    "rounds", "rounds", 0.0, 10.0,
)
ALPHA = Number(
    "Examples per dimension.", POSITIVE, "examples per dimension, above 0",
    "examples of the pool per dimension, $α_\\mathrm{tot}$", "$α_\\mathrm{tot}$", 0.5, 50.0, logarithmic=True,
    relative="kept", of_kept=("kept examples per dimension, α", "α"),
)
ANGLE = Number(
    "Angle between probe and teacher, in degrees.", Range(0, 90), "in degrees, in [0, 90]",
    "angle of the probe, θ (degrees)", "θ", 0.0, 80.0, silent=0.0, unit="°",
)
SIGNAL = Number(
    "Distance of each class from the middle, in units of the noise of a coordinate.", NOT_NEGATIVE,
    "the length ≥ 0 of half the gap", "signal, ‖μ‖", "‖μ‖", 0.2, 4.0,
)
WRONG_LABELS = Number(
    "Probability that a label is flipped.", SHARES, PROBABILITY, "wrong synthetic labels, ε", "ε", 0.0, 1.0,
)
KEEP_CORRECT = Number(
    "Probability that the verifier keeps a synthetic example with a right label.", SHARES, PROBABILITY,
    "right synthetic labels kept, φ", "φ", 0.02, 1.0,
)
KEEP_WRONG = Number(
    "Probability that the verifier keeps a synthetic example with a wrong label.", SHARES, PROBABILITY,
    "wrong synthetic labels kept, ψ", "ψ", 0.0, 1.0,
)
REAL_FRACTION = Number(
    "Part of the examples that is real.", SHARES, PROBABILITY, "fraction of real examples", "real", 0.0, 1.0,
)
GENERATIONS = Number(
    "Learners in the chain.", Range(1, np.inf, below=True), "1 or more", "generation", "generation", 1.0, 10.0,
)
EXPONENT = Number(
    "Variances of the directions fall as i to the power of minus this, i = 1, 2, …", Range(-20, 20),
    "in [-20, 20]", "exponent of the spectrum", "exponent", 0.0, 2.0,
)
