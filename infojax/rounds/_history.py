"""What happened in a run: every example with when and why it came, every evaluation, and what each addition cost."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from infojax.rounds._plan import Patience, Plan
from infojax.training import Learner

if TYPE_CHECKING:
    import polars as pl

Report: TypeAlias = dict[str, float | int | bool | str]
"""What a source says of the examples that it gave: a row of the table of additions."""


class Evaluation(NamedTuple):
    """After a stretch of training.

    Attributes:
        accuracy: on the validation data.
        entropy: mean entropy there, nats.
        classes: how many classes the learner predicts there; with one, it has collapsed.
        loss: mean training loss since the evaluation before.
        examples: trained on.
        waited: T afterwards.
        seconds: of training and evaluating.
    """

    accuracy: float
    entropy: float
    classes: int
    loss: float
    examples: int
    waited: int
    seconds: float


class Examples(NamedTuple):
    """Examples that a source gives.

    Attributes:
        x, y: the examples (n, *shape) and their labels (n,).
        entropy: of each under the learner, nats; NaN for those before any training.
        report: what else there is to say of them.
    """

    x: Float[np.ndarray, "n ..."]
    y: Int[np.ndarray, " n"]
    entropy: Float[np.ndarray, " n"]
    report: Report


class Moment(NamedTuple):
    """Where a run stands, from which another run can branch out.

    Attributes:
        state: of the trainer.
        patience: T, and the best accuracy.
        evaluations: how many there were.
        examples: how many there are.
    """

    state: PyTree[Array]
    patience: Patience
    evaluations: int
    examples: int


class Addition(NamedTuple):
    """Examples added at once; the first of a run are those that it begins with.

    Attributes:
        examples: what was added.
        before: the run just before.
    """

    examples: Examples
    before: Moment


@dataclass(frozen=True)
class History:
    """A run in rounds.

    Attributes:
        additions: in order, the first with the initial examples.
        evaluated: every evaluation, in order.
        state, learner: at the end.
        gradients: examples whose gradient was taken, between two evaluations.
        validation: the number of validation examples.
        plan, policy, key: as given.
    """

    additions: tuple[Addition, ...]
    evaluated: tuple[Evaluation, ...]
    state: PyTree[Array]
    learner: Learner
    gradients: int
    validation: int
    plan: Plan
    policy: str
    key: PRNGKeyArray

    @property
    def x(self) -> Float[np.ndarray, "n ..."]:
        """All examples, (n, *shape), in the order in which they came."""
        return np.concatenate([addition.examples.x for addition in self.additions])

    @property
    def y(self) -> Int[np.ndarray, " n"]:
        """Their labels, (n,)."""
        return np.concatenate([addition.examples.y for addition in self.additions])

    @property
    def examples(self) -> "pl.DataFrame":
        """A row for each example: label, addition, evaluations before it came, entropy at that time, and the policy."""
        import polars as pl

        sizes = [len(addition.examples.y) for addition in self.additions]
        evaluations = [addition.before.evaluations for addition in self.additions]
        return pl.DataFrame(
            {
                "example": np.arange(sum(sizes)),
                "label": self.y,
                "addition": np.repeat(np.arange(len(sizes)), sizes),
                "evaluation": np.repeat(evaluations, sizes),
                "entropy": np.concatenate([addition.examples.entropy for addition in self.additions]),
            }
        ).with_columns(pl.col("entropy").fill_nan(None), policy=pl.lit(self.policy))

    @property
    def added(self) -> "pl.DataFrame":
        """A row for each addition, with its mean entropy and what its source reports."""
        import polars as pl

        rows = [
            {"addition": index, "evaluation": before.evaluations, "before": before.examples}
            | {"kept": len(new.y), "entropy": None if np.isnan(new.entropy).any() else float(new.entropy.mean())}
            | new.report
            for index, (new, before) in enumerate(self.additions)
        ]
        return pl.DataFrame(rows, schema_overrides={"entropy": pl.Float64}, infer_schema_length=None)

    @property
    def evaluations(self) -> "pl.DataFrame":
        """A row for each evaluation; `gradients` so far, and `collapsed` where one class is predicted for all."""
        import polars as pl

        table = pl.DataFrame(self.evaluated, schema=list(Evaluation._fields), orient="row")
        number = pl.int_range(1, pl.len() + 1)
        return table.with_columns(
            evaluation=number, gradients=number * self.gradients, collapsed=pl.col("classes") == 1
        )
