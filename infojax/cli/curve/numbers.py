"""The options of `infojax curve` that are numbers: what they mean, and how they are drawn along."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """An option that is a number, and an axis to draw along."""

    help: str
    axis: str  # what stands below it
    symbol: str  # in titles and legends
    low: float  # where the axis begins and ends, unless asked otherwise
    high: float
    logarithmic: bool = False
    of_kept: tuple[str, str] | None = None  # axis and symbol with --hold kept
    silent: float | None = None  # the value of which titles say nothing


NUMBERS = {
    "kept": Number("Fraction of the pool that is kept.", "fraction kept, p", "p", 0.02, 1.0),
    "pruner": Number(
        "Cosine of the pruning direction with the truth: 1 is a perfect pruner, 0 knows nothing.",
        "cosine of the pruner with the truth", "pruner", 0.0, 1.0,
    ),
    "ratio": Number(
        "d/n, dimensions per example.", "dimensions per example of the pool, d/n", "d/n", 0.05, 5.0, True,
        of_kept=("dimensions per kept example, d/pn", "d/pn"),
    ),
    "ridge": Number(
        "Strength of the ridge penalty, relative to a loss averaged over the examples.", "ridge, λ", "λ", 1e-6, 10.0,
        True, of_kept=("ridge relative to the examples kept, λ'", "λ'"),
    ),
    "strength": Number(
        "Of the rule soft: positive prefers hard examples, negative easy ones, 0 is random.",
        "strength of the soft rule, ω", "ω", -6.0, 6.0,
    ),
    "generator": Number(
        "Cosine of the labels' direction with the truth: 1 labels everything rightly.",
        "cosine of the labels with the truth", "generator", 0.0, 1.0, silent=1.0,
    ),
    "pruner_generator": Number(
        "Cosine of the pruner with the labels' direction; needed where generator is not 1.",
        "cosine of the pruner with the labels", "pruner·generator", 0.0, 1.0,
    ),
    "noise": Number(
        "Standard deviation of the noise of linear labels.", "noise of the labels", "noise", 0.0, 2.0, silent=0.0
    ),
    "flips": Number(
        "Probability that a label is flipped.", "fraction of labels flipped", "flips", 0.0, 0.5, silent=0.0
    ),
    "first_ratio": Number(
        "d/n₀, dimensions per random example of the first stage.", "dimensions per first example, d/n₀", "d/n₀",
        0.05, 5.0, True,
    ),
    "second_ratio": Number(
        "d/n₁, dimensions per example that the first learner selected.", "dimensions per selected example, d/n₁",
        "d/n₁", 0.05, 5.0, True,
    ),
    "added_ratio": Number(
        "d/n₁, dimensions per example that each round adds.", "dimensions per example of a round, d/n₁", "d/n₁",
        0.05, 5.0, True,
    ),
    "rounds": Number("Rounds of practice.", "rounds", "rounds", 0.0, 10.0),
    "alpha": Number(
        "Examples per dimension.", "examples of the pool per dimension, $α_\\mathrm{tot}$", "$α_\\mathrm{tot}$",
        0.5, 50.0, True,
        of_kept=("kept examples per dimension, α", "α"),
    ),
    "angle": Number(
        "Between probe and teacher, in degrees.", "angle of the probe, θ (degrees)", "θ", 0.0, 80.0, silent=0.0
    ),
    "signal": Number(
        "Distance of each class from the middle, in units of the noise of a coordinate.", "signal, ‖μ‖", "‖μ‖", 0.2, 4.0
    ),
    "label_noise": Number(
        "Fraction of the synthetic labels that are wrong.", "wrong synthetic labels, ε", "ε", 0.0, 1.0
    ),
    "keep_correct": Number(
        "Probability that the verifier keeps a synthetic example with a right label.",
        "right synthetic labels kept, φ", "φ", 0.02, 1.0,
    ),
    "keep_wrong": Number(
        "The same with a wrong label.", "wrong synthetic labels kept, ψ", "ψ", 0.0, 1.0
    ),
    "real_fraction": Number("Part of the examples that is real.", "fraction of real examples", "real", 0.0, 1.0),
    "generations": Number("Learners in the chain.", "generation", "generation", 1.0, 10.0),
    "exponent": Number(
        "Variances of the directions fall as i to the power of minus this, i = 1, 2, …",
        "exponent of the spectrum", "exponent", 0.0, 2.0,
    ),
}  # fmt: skip
