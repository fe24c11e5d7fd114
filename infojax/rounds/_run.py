"""A run: train to an evaluation, ask for examples where learning has stalled, keep all of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import jax
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.rounds._additions import keep_addition, read_addition
from infojax.rounds._history import Addition, Evaluation, Examples, History, Moment
from infojax.rounds._judging import judge
from infojax.rounds._plan import Patience, Plan, after, exhausted
from infojax.rounds._run_store import RunStore, leaves
from infojax.rounds._trainer import Trainer
from infojax.training import TrainingSet, append, empty

if TYPE_CHECKING:
    from rich.progress import Progress


class RunState(NamedTuple):
    """Where a run stands, between two evaluations.

    Attributes:
        state: of the trainer.
        patience: T, and the best accuracy.
        additions, evaluated: so far.
        untrained: what the learner said of a few examples before any training, by which its network is known.
    """

    state: PyTree[Array]
    patience: Patience
    additions: tuple[Addition, ...]
    evaluated: tuple[Evaluation, ...]
    untrained: Float[np.ndarray, "b k"]

    @property
    def examples(self) -> int:
        return sum(len(addition.examples.y) for addition in self.additions)


@dataclass(frozen=True)
class Run:
    """Constant inputs of a run.

    Attributes:
        trainer: how the learner is trained, from one evaluation to the next.
        validation: says when learning has stalled.
        plan: when examples are added, and how many.
        source: gives them.
        policy: the source's name in tables.
        key: of everything.
        store: where the run is kept.
    """

    trainer: Trainer
    validation: Dataset
    plan: Plan
    source: "Source"
    policy: str
    key: PRNGKeyArray
    store: RunStore


Source: TypeAlias = Callable[[Run, RunState, PRNGKeyArray], Examples]
"""More examples for a run: `plan.start` where there are none yet, `plan.added` otherwise."""


def finish(run: Run, now: RunState, progress: "Progress | None" = None) -> History:
    """To the end. Raises `InvalidInput` where training diverges."""
    data = empty(run.plan.capacity, run.validation.x.shape[1:])
    for addition in now.additions:
        data = append(data, addition.examples.x, addition.examples.y)
    total = run.trainer.evaluations
    task = None if progress is None else progress.add_task(run.policy, total=total, completed=len(now.evaluated))
    for index in range(len(now.evaluated), total):
        due = index < run.trainer.stable and exhausted(now.patience, run.plan, now.examples)
        if due or not now.additions:
            addition = _add(run, now)
            now = now._replace(additions=(*now.additions, addition), patience=now.patience._replace(waited=0))
            data = append(data, addition.examples.x, addition.examples.y)
        now = _train(run, now, data)
        _keep(run, now)
        if progress is not None and task is not None:
            progress.advance(task)
    return History(
        additions=now.additions,
        evaluated=now.evaluated,
        state=now.state,
        learner=run.trainer.learner(now.state),
        gradients=run.trainer.gradients,
        validation=len(run.validation),
        plan=run.plan,
        policy=run.policy,
        key=run.key,
    )


def _add(run: Run, now: RunState) -> Addition:
    """The next addition: as it is on disk, or asked for."""
    number = len(now.additions)
    before = Moment(now.state, now.patience, len(now.evaluated), now.examples)
    addition = read_addition(run.store, number, now.state)
    if addition is None:
        key = jax.random.fold_in(jax.random.fold_in(run.key, 2), number)
        addition = Addition(run.source(run, now, key), before)
        keep_addition(run.store, number, addition)
    return addition


def _train(run: Run, now: RunState, data: TrainingSet) -> RunState:
    """To the next evaluation."""
    clock, index = time.perf_counter(), len(now.evaluated)
    key = jax.random.fold_in(jax.random.fold_in(run.key, 1), index)
    state, loss = run.trainer.advance(now.state, data, key)
    if not np.isfinite(loss):
        raise InvalidInput(
            f"{run.policy}: training diverged before evaluation {index + 1}, with a loss of {float(loss)}; lower the "
            "learning_rate. The state at the evaluation before is kept where there is a checkpoint."
        )
    judged = judge(run.trainer.learner(state), run.validation.x)
    accuracy = float(np.mean(judged.label == run.validation.y))
    patience = after(now.patience, accuracy)
    entropy, classes, seconds = float(judged.entropy.mean()), len(np.unique(judged.label)), time.perf_counter() - clock
    evaluation = Evaluation(accuracy, entropy, classes, float(loss), now.examples, patience.waited, seconds)
    return now._replace(state=state, patience=patience, evaluated=(*now.evaluated, evaluation))


def _keep(run: Run, now: RunState) -> None:
    columns = dict(zip(Evaluation._fields, zip(*now.evaluated, strict=True), strict=True))
    waited = {"waited_so_far": now.patience.waited, "best": now.patience.best}
    start = {"untrained": now.untrained, "additions": len(now.additions)}
    run.store.write("state", start | columns | waited | leaves(now.state))
