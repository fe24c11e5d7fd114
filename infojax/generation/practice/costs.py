"""What a run costs, in one unit, and from which over-sampling ratio on pruning is worth what guidance costs.

    generating  evaluations of the score, of its gradient and, in guidance, of the learner
    training    gradients of the learner, and its evaluations on candidates and on validation data

Each kind has a price in floating-point operations for one example, as XLA counts them in the program that computes it:
the same on every machine, and blind to memory and to how well a device is used. Seconds are in the history beside them.
"""

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.errors import InvalidInput
from infojax.generation._generator import Generator
from infojax.rounds import Examples, History
from infojax.training import Learner, entropy, log_probabilities

if TYPE_CHECKING:
    import polars as pl


class Prices(NamedTuple):
    """Floating-point operations for one example.

    Attributes:
        score: of the generator's prediction.
        score_gradient: of its vector–Jacobian product alone, beyond the prediction.
        learner: of the learner's entropy.
        learner_gradient: of the entropy's gradient with respect to the example, the entropy included.
        training: of the gradient of the loss with respect to the learner's parameters.
    """

    score: float
    score_gradient: float
    learner: float
    learner_gradient: float
    training: float

    def guided(self) -> float:
        """g, what a step of the plug-in guidance costs over one without; 1.82 in the paper, of a whole image."""
        return 1 + (self.score_gradient + self.learner_gradient) / self.score


def prices(generator: Generator, learner: Learner, *, batch: int = 64) -> Prices:
    """Counted, nothing is run: of programs for `batch` examples, for one of them."""
    x, t = jnp.zeros((batch, *generator.shape)), jnp.full((), 0.5)
    label = jnp.zeros(batch, jnp.int32)

    def prediction(x: Array) -> Array:
        return generator.noise(x, t, label)

    def pulled_back(x: Array) -> tuple[Array, Array]:
        noise, back = jax.vjp(prediction, x)
        return noise, back(x)[0]

    def uncertain(x: Array) -> Array:
        return entropy(learner, x)

    def loss(params: object, x: Array) -> Array:
        return -jnp.mean(log_probabilities(Learner(learner.network, params), x)[:, 0])

    score = _operations(prediction, x)
    each = (
        score,
        max(_operations(pulled_back, x) - score, 0.0),
        _operations(uncertain, x),
        _operations(jax.grad(lambda x: uncertain(x).sum()), x),
        _operations(jax.grad(loss), learner.params, x),
    )
    return Prices(*(value / batch for value in each))


def _operations(function: object, *given: object) -> float:
    counted = jax.jit(function).lower(*given).compile().cost_analysis()  # pyright: ignore[reportCallIssue, reportArgumentType]
    flops = (counted or {}).get("flops", 0.0)
    if not flops > 0:
        raise InvalidInput(
            "the compiler counts no floating-point operations here; give prices of your own, Prices(score=…, …), "
            "in any unit, such as measured seconds an example."
        )
    return float(flops)


def generating_cost(examples: Examples, price: Prices) -> float:
    """What it cost to generate examples: evaluations of the score, of its gradient, and in guidance of the learner."""
    cost = np.array([examples.report[name] for name in ("score", "score_gradient", "learner")], np.float64)
    return float(cost @ np.array([price.score, price.score_gradient, price.learner_gradient]))


def spending(history: History, price: Prices) -> "pl.DataFrame":
    """What a run cost until each evaluation, in the unit of the prices: `generating`, `training`, and both in `total`.

    An addition counts from the first evaluation of a learner that was trained on it.
    """
    import polars as pl

    evaluations, count = history.evaluations, len(history.evaluated)
    generated, generating, judged = np.zeros(count), np.zeros(count), np.zeros(count)
    for addition in history.additions:
        at, report = addition.before.evaluations, addition.examples.report
        generated[at] += float(report["generated"])
        generating[at] += generating_cost(addition.examples, price)
        judged[at] += float(report["judged"])
    training = history.gradients * price.training + (judged + history.validation) * price.learner
    generating, training = np.cumsum(generating), np.cumsum(training)
    return pl.DataFrame(
        {
            "evaluation": evaluations["evaluation"],
            "examples": evaluations["examples"],
            "accuracy": evaluations["accuracy"],
            "trained_on": evaluations["gradients"],
            "generated": np.cumsum(generated).astype(int),
            "generating": generating,
            "training": training,
            "total": generating + training,
        }
    )


def break_even(ratios: Float[np.ndarray, " r"], errors: Float[np.ndarray, " r"], guided: float) -> float:
    """The smallest over-sampling ratio at which pruning reaches an error, interpolated in its logarithm.

    To be held against g, what a guided example costs: above it guidance is the cheaper way to that error.

    Args:
        ratios: N/m, ascending, examples generated for one that is kept.
        errors: of a learner trained on what is kept, as many for each ratio.
        guided: the error of one trained on as many guided examples.

    Returns:
        NaN where pruning does not reach it; the first ratio where that is enough already.

    Raises `InvalidInput` on ratios that do not ascend from a positive one, or another number of errors.

    >>> break_even(np.array([1.0, 2.0, 4.0]), np.array([0.3, 0.2, 0.1]), 0.15) / np.sqrt(8)
    np.float64(1.0)
    """
    ratios, errors = np.asarray(ratios, np.float64), np.asarray(errors, np.float64)
    if ratios.ndim != 1 or errors.shape != ratios.shape or not (np.diff(ratios, prepend=0) > 0).all():
        raise InvalidInput(f"break_even: ratios {ratios} must be positive and ascend, with as many errors: {errors}")
    enough = errors <= guided
    if not enough.any():
        return float("nan")
    at = int(enough.argmax())
    if at == 0:
        return float(ratios[0])
    part = (errors[at - 1] - guided) / (errors[at - 1] - errors[at])
    return float(ratios[at - 1] * (ratios[at] / ratios[at - 1]) ** part)
