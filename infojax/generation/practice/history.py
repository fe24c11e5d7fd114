"""What happened in a run: every example with when and why it came, every evaluation, and what each addition cost."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, PRNGKeyArray

from infojax.generation.practice.addition import Addition
from infojax.generation.practice.plan import Plan, Policy
from infojax.training import Learner

if TYPE_CHECKING:
    import polars as pl


class Evaluation(NamedTuple):
    """After `every` more iterations of training.

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


@dataclass(frozen=True)
class History:
    """A run of deliberate practice.

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
    state: Any
    learner: Learner
    gradients: int
    validation: int
    plan: Plan
    policy: Policy
    key: PRNGKeyArray

    @property
    def x(self) -> Float[np.ndarray, "n ..."]:
        """All examples, (n, *shape), in the order in which they came."""
        return np.concatenate([addition.x for addition in self.additions])

    @property
    def y(self) -> Int[np.ndarray, " n"]:
        """Their labels, (n,)."""
        return np.concatenate([addition.y for addition in self.additions])

    @property
    def examples(self) -> "pl.DataFrame":
        """A row for each example: label, addition, evaluations before it came, entropy at that time, how it came."""
        import polars as pl

        sizes = [len(addition.y) for addition in self.additions]

        def each(values: list[Any]) -> np.ndarray:
            return np.repeat(np.asarray(values), sizes)

        return pl.DataFrame(
            {
                "example": np.arange(sum(sizes)),
                "label": self.y,
                "addition": each(list(range(len(sizes)))),
                "evaluation": each([addition.evaluation for addition in self.additions]),
                "entropy": np.concatenate([addition.entropy for addition in self.additions]),
                "guided": each([addition.guided for addition in self.additions]),
            }
        ).with_columns(pl.col("entropy").fill_nan(None), policy=pl.lit(self.policy.name))

    @property
    def added(self) -> "pl.DataFrame":
        """A row for each addition, with its mean entropy and what it cost."""
        import polars as pl

        fields = ("evaluation", "before", "generated", "redrawn", "judged", "seconds", "guided", "fallback")
        rows = [
            {"addition": index}
            | {name: getattr(each, name) for name in fields}
            | {"kept": len(each.y), "entropy": None if np.isnan(each.entropy).any() else float(each.entropy.mean())}
            | dict(zip(("score", "score_gradient", "learner"), each.cost.tolist(), strict=True))
            for index, each in enumerate(self.additions)
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
