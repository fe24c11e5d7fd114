"""The laws: of each, its problem with every number's meaning, range and usual value, the law, and its simulation.

From this `infojax curve` with its help, comparisons of laws with simulations, and the tests that hold for every law are
made. A further law is one file with the law and its simulation, and one entry here. Nothing here imports JAX.
"""

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from infojax.scaling.registry import numbers as of
from infojax.scaling.registry.fields import number, option, problem, rule, size, whole
from infojax.scaling.registry.law import Law
from infojax.scaling.registry.numbers import Rules

if TYPE_CHECKING:
    from infojax.scaling.selection.rules import Selection
    from infojax.scaling.selection.weighting import Weighting
else:
    Selection = Weighting = Any

Numbers: TypeAlias = Any  # a number, an array or a tracer: what JAX puts in the place of a leaf has no one type

ALL_RULES = ("hard", "easy", "random", "all", "soft")
DRAWN_RULES = ("hard", "easy", "random", "all")


@problem
class RidgeProblem:
    """A pool of n Gaussian examples of dimension d, of which a rule keeps a part, and ridge regression on that.

    Examples x ~ N(0, I_d) with labels y = sign(w_g·x) are pruned by a rule that looks at w_s·x; then
    ŵ = argmin 1/n Σ_kept D (w·x − y)²/2 + ridge ‖w‖²/2 is tested on unpruned data with labels sign(w_*·x).

    Attributes:
        selection: `keep_hard(p)`, `keep_easy(p)`, `keep_random(p)`, `keep_all()` or `soft(p, strength)`, where D = 1
            unless weighted; or `weigh_by(function)`, any probability of being kept and any weight D.
        pruner: w_s·w_*, the cosine of the pruner with the truth.
        ratio: d/n > 0, with n the size of the pool before pruning.
        ridge: λ ≥ 0 relative to 1/n of the pool (a ridge λ' relative to the kept count is λ = p λ'). 0 means the
            minimum-norm solution.
        generator: w_g·w_*, the cosine of the labels' direction with the truth.
        pruner_generator: w_s·w_g. None where the generator is the truth.
        noise: standard deviation of the noise of linear labels.
        flips: probability with which a sign is flipped, before the selection sees it.
        label_aware: keep an example only if also sign(w_s·x) is its label. p then is the fraction that the rule
            alone would keep; fewer pass.
        labels: "sign", or "linear" for regression, y = w_g·x + noise.

    All numbers may be arrays that broadcast together; those that are being traced are NaN where they would be refused.

    Raises `InvalidInput` on cosines outside [−1, 1], cosines that no three directions have, ratio ≤ 0, ridge < 0,
    noise < 0, flips outside [0, 1], options that do not go together, and shapes that do not broadcast.
    """

    selection: "Selection | Weighting" = rule(Rules(ALL_RULES, ("hard", "easy"), weighted=True), kept=0.3)
    pruner: Numbers = number(of.PRUNER, 1.0)
    ratio: Numbers = number(of.POOL_RATIO, 0.35)
    ridge: Numbers = number(of.POOL_RIDGE, 1e-2)
    generator: Numbers = number(of.GENERATOR, 1.0, default=1.0)
    pruner_generator: Numbers = number(of.PRUNER_GENERATOR, None, default=None)
    noise: Numbers = number(of.NOISE, 0.0, default=0.0)
    flips: Numbers = number(of.FLIPS, 0.0, default=0.0)
    label_aware: bool = option(False, True, default=False)
    labels: Literal["sign", "linear"] = option("sign", "linear", default="sign")

    def check_together(self) -> None:
        from infojax.scaling.registry.checked import put  # JAX, which help texts do not need
        from infojax.scaling.selection.problem import check_labels, realizable

        check_labels(self.selection, self.labels, self.label_aware, self.noise, self.flips)
        pruner, between = realizable(self.pruner, self.generator, self.pruner_generator, self.label_aware)
        put(self, "pruner", pruner)
        put(self, "pruner_generator", between)


@problem
class TwoStageProblem:
    """Ridge regression on n₀ random examples and n₁ that the learner of those n₀ selected.

    Attributes:
        selection: a rule without weights; p is the fraction of fresh examples that passes.
        first_ratio: d/n₀ > 0.
        second_ratio: d/n₁ > 0, with n₁ the number of *kept* examples of the second stage.
        ridge: λ > 0, relative to 1/n₀ and then to 1/(n₀ + n₁).

    Raises `InvalidInput` on ratios or a ridge that are not positive and on weighted rules.
    """

    selection: "Selection" = rule(Rules(ALL_RULES, ("hard", "all"), unsimulated=("soft",)), kept=0.3)
    first_ratio: Numbers = number(of.FIRST_RATIO, 0.33)
    second_ratio: Numbers = number(of.SECOND_RATIO, 0.33)
    ridge: Numbers = number(of.POSITIVE_RIDGE, 0.05)


@problem
class PracticeProblem:
    """Ridge regression in rounds of deliberate practice, each adding examples that the current learner selected.

    Attributes:
        selection: a rule without weights; p is the fraction of fresh examples that passes.
        first_ratio: d/n₀ > 0.
        added_ratio: d/n₁ > 0, with n₁ the number that each round adds.
        ridge: λ > 0, relative each time to 1/(number of examples trained on).
        rounds: 0 to 1000; forty take .03 CPU seconds, and the cost grows as the fourth power.

    Raises `InvalidInput` on ratios or a ridge that are not positive, on rounds < 0 and on weighted rules.
    """

    selection: "Selection" = rule(Rules(ALL_RULES, ("hard", "all"), unsimulated=("soft",)), kept=0.2)
    first_ratio: Numbers = number(of.FIRST_RATIO, 0.4)
    added_ratio: Numbers = number(of.ADDED_RATIO, 0.67)
    ridge: Numbers = number(of.POSITIVE_RIDGE, 0.05)
    rounds: int = whole(of.ROUNDS, 5)


@problem
class PerceptronProblem:
    """A pool of Gaussian examples with a teacher's labels, pruned by a probe, and the perceptron of largest margin.

    Attributes:
        selection: `keep_hard(f)`, `keep_easy(f)`, `keep_random(f)` or `keep_all()`, f in (0, 1]; at 1 nothing is
            pruned, whatever the probe, and what is thinned at random is a smaller pool.
        alpha: α > 0, kept examples per dimension.
        angle: θ in [0, 90], degrees, between probe and teacher.

    Raises `InvalidInput` on alpha that is not positive and finite, an angle outside [0, 90], a soft or weighted rule,
    and shapes that do not broadcast.
    """

    selection: "Selection" = rule(Rules(DRAWN_RULES, ("hard", "easy", "all")), kept=0.3)
    alpha: Numbers = number(of.ALPHA, 5.0)
    angle: Numbers = number(of.ANGLE, 0.0, default=0.0)


@problem
class MixtureProblem:
    """Two Gaussian classes; real data mixed with synthetic data, of which a verifier keeps a part.

    Examples are x = yμ + z with y = ±1, z ~ N(0, I_d), ‖μ‖ = signal. Of n examples a fraction is real, with right
    labels; the rest are synthetic, with labels flipped at random, and go through a verifier that keeps rightly and
    wrongly labeled ones with different probabilities.

    Attributes:
        ratio: d/n > 0, with n all examples, real and synthetic, before verification.
        signal: ‖μ‖ ≥ 0, in units of the noise of a coordinate.
        flips: ε in [0, 1], fraction of synthetic labels that are flipped.
        keep_correct: in [0, 1], probability that the verifier keeps a synthetic example whose label is right.
        keep_wrong: in [0, 1], the same where it is wrong. 1 and 1: no verifier.
        real_fraction: in [0, 1].
        ridge: λ ≥ 0 in the 1/n normalization; 0 is the minimum-norm solution.

    Raises `InvalidInput` on numbers out of range, and where nothing is kept.
    """

    ratio: Numbers = number(of.RATIO, 0.1)
    signal: Numbers = number(of.SIGNAL, 1.0)
    flips: Numbers = number(of.WRONG_LABELS, 0.4)
    keep_correct: Numbers = number(of.KEEP_CORRECT, 0.8)
    keep_wrong: Numbers = number(of.KEEP_WRONG, 0.2)
    real_fraction: Numbers = number(of.REAL_FRACTION, 0.0)
    ridge: Numbers = number(of.RIDGE, 0.1)

    def check_together(self) -> None:
        from infojax.scaling.registry.checked import put, require  # JAX, which help texts do not need

        kept = sum(self.kept_fractions())
        kept = require("the fraction of examples that is kept", kept, lambda v: v > 0, "positive: keep something")
        put(self, "ratio", self.ratio * (kept / kept))

    def kept_fractions(self) -> tuple[Numbers, Numbers]:
        """Kept examples with a right label and with a wrong one, as fractions of n."""
        synthetic = 1 - self.real_fraction
        right = self.real_fraction + synthetic * (1 - self.flips) * self.keep_correct
        return right, synthetic * self.flips * self.keep_wrong


@problem
class RelabellingProblem:
    """A chain of learners, each trained on fresh examples that the learner before it has labeled.

    Attributes:
        selection: a rule without weights.
        pruner, ratio, ridge, flips, label_aware: as in `RidgeProblem`, the same for every generation.
        generations: at least 1.

    Raises `InvalidInput` as `RidgeProblem` does, and on generations < 1 and weighted rules.
    """

    selection: "Selection" = rule(Rules(ALL_RULES, ("all", "hard", "easy")), kept=0.5)
    pruner: Numbers = number(of.PRUNER, 0.9)
    ratio: Numbers = number(of.RATIO, 0.2)
    ridge: Numbers = number(of.RIDGE, 1e-2)
    generations: int = whole(of.GENERATIONS, 8)
    flips: Numbers = number(of.FLIPS, 0.0, default=0.0)
    label_aware: bool = option(False, True, default=False)


@problem
class PowerSpectrumProblem:
    """As `RidgeProblem`, with directions of unequal variance: the i-th has i^−exponent, scaled to a mean of 1.

    The truth has equal parts in all directions; what the pruner adds to it has alternating signs, so that it is spread
    over the spectrum as the truth is.

    Attributes:
        selection: a rule without weights.
        pruner: the cosine of pruner and truth in the covariance of the data.
        ratio, ridge, noise, flips, label_aware, labels: as in `RidgeProblem`.
        exponent: of the spectrum, in [−20, 20].
        dimension: d ≥ 2, of which the law, too, depends here.
    """

    selection: "Selection" = rule(Rules(ALL_RULES, ("hard", "easy")), kept=0.3)
    pruner: Numbers = number(of.PRUNER, 1.0)
    ratio: Numbers = number(of.POOL_RATIO, 0.35)
    ridge: Numbers = number(of.POOL_RIDGE, 1e-2)
    exponent: Numbers = number(of.EXPONENT, 1.0)
    noise: Numbers = number(of.NOISE, 0.0, default=0.0)
    flips: Numbers = number(of.FLIPS, 0.0, default=0.0)
    label_aware: bool = option(False, True, default=False)
    labels: Literal["sign", "linear"] = option("sign", "linear", default="sign")
    dimension: int = size(default=200)


LEARNER = ("error", "mse", "overlap", "norm")

LAWS = {
    "ridge": Law(
        RidgeProblem, "ridge_law", "simulate_ridge", LEARNER, over="kept",
        says="ridge regression on a selected part of a pool of Gaussian examples",
    ),
    "two-stage": Law(
        TwoStageProblem, "two_stage_law", "simulate_two_stage", ("error", "pruner", "overlap", "norm"), over="kept",
        says="deliberate practice: ridge regression on random examples and on those that its first fit selected",
    ),
    "practice": Law(
        PracticeProblem, "practice_law", "simulate_practice", ("error", "overlap", "norm"), over="rounds",
        says="deliberate practice: ridge regression in rounds, each adding examples that the current fit selected",
        chain="rounds", first=0,
    ),
    "perceptron": Law(
        PerceptronProblem, "perceptron_law", "simulate_perceptron", ("error", "margin", "overlap"), over="alpha",
        says="the perceptron of largest margin on a pruned pool of Gaussian examples",
        dimension=60, places=80,
    ),
    "mixture": Law(
        MixtureProblem, "mixture_law", "simulate_mixture", ("error", "overlap", "norm"), over="flips",
        says="ridge regression on real data of two Gaussian classes, mixed with verified synthetic data",
    ),
    "relabelling": Law(
        RelabellingProblem, "relabelling_law", "simulate_relabelling", ("error", "pruner_overlap"), over="generations",
        says="a chain of learners, each trained on fresh examples that the one before it has labelled",
        chain="generations",
    ),
    "anisotropic": Law(
        PowerSpectrumProblem, "power_spectrum_law", "simulate_power_spectrum", LEARNER, over="kept",
        says="ridge regression on selected examples whose directions have unequal variances",
        places=80,
    ),
}  # fmt: skip
