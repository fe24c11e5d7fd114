"""A run of the loop: train to an evaluation, add examples where learning has stalled, keep all of it."""

import time
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.generation.practice.addition import Addition, initial, practised, restored
from infojax.generation.practice.candidates import Generate
from infojax.generation.practice.history import Evaluation, History
from infojax.generation.practice.judging import judge
from infojax.generation.practice.keeping import Kept, leaves
from infojax.generation.practice.plan import Patience, Plan, Policy, after, exhausted
from infojax.generation.practice.trainer import Trainer
from infojax.training import TrainingSet, append, empty


class Run(NamedTuple):
    """What stays the same; `start` is the trainer's first state, with what its learner says of a few examples."""

    generate: Generate
    trainer: Trainer
    validation: Dataset
    policy: Policy
    plan: Plan
    key: PRNGKeyArray
    kept: Kept
    start: tuple[Any, np.ndarray]


class Now(NamedTuple):
    """Where a run stands, between two evaluations."""

    state: Any
    patience: Patience
    additions: tuple[Addition, ...]
    evaluated: tuple[Evaluation, ...]

    @property
    def examples(self) -> int:
        return sum(len(addition.y) for addition in self.additions)


def finish(run: Run, now: Now, progress: Any) -> History:
    """To the end."""
    buffer = empty(run.plan.capacity, run.validation.x.shape[1:])
    for addition in now.additions:
        buffer = append(buffer, addition.x, addition.y)
    task = None
    if progress is not None:
        total = run.trainer.evaluations
        task = progress.add_task(run.policy.name, total=total, completed=len(now.evaluated))
    for index in range(len(now.evaluated), run.trainer.evaluations):
        due = index < run.trainer.stable and exhausted(now.patience, run.plan, now.examples)
        if due or not now.additions:
            addition = _add(run, now)
            now = now._replace(additions=(*now.additions, addition), patience=now.patience._replace(waited=0))
            buffer = append(buffer, addition.x, addition.y)
        now = _train(run, now, buffer)
        _keep(run, now)
        if progress is not None:
            progress.advance(task)
    learner = run.trainer.learner(now.state)
    return History(
        now.additions, now.evaluated, now.state, learner, run.trainer.gradients, len(run.validation), run.plan,
        run.policy, run.key,
    )  # fmt: skip


def _add(run: Run, now: Now) -> Addition:
    number = len(now.additions)
    found = restored(run.kept, number, now.state)
    if found is not None:
        return found
    given = {
        "state": now.state,
        "validation": run.validation.x,
        "classes": len(run.validation.classes),
        "key": jax.random.fold_in(jax.random.fold_in(run.key, 2), number),
        "kept": run.kept,
    }
    if not number:
        return initial(run.generate, run.policy, run.plan, **given)
    learner = run.trainer.learner(now.state)
    first = learner if number == 1 else run.trainer.learner(now.additions[1].state)
    where = {"patience": now.patience, "evaluation": len(now.evaluated), "count": now.examples, "number": number}
    return practised(run.generate, run.policy, run.plan, learner=learner, first=first, **where, **given)


def _train(run: Run, now: Now, buffer: TrainingSet) -> Now:
    """To the next evaluation."""
    clock, index = time.perf_counter(), len(now.evaluated)
    key = jax.random.fold_in(jax.random.fold_in(run.key, 1), index)
    state, loss = run.trainer.advance(now.state, buffer, key)
    if not np.isfinite(loss):
        raise InvalidInput(
            f"practise: training diverged before evaluation {index + 1}, with a loss of {float(loss)}; lower the "
            "learning_rate. The state at the evaluation before is kept where there is a checkpoint."
        )
    judged = judge(run.trainer.learner(state), run.validation.x)
    accuracy = float(np.mean(judged.label == run.validation.y))
    patience = after(now.patience, accuracy)
    entropy, classes, seconds = float(judged.entropy.mean()), len(np.unique(judged.label)), time.perf_counter() - clock
    evaluation = Evaluation(accuracy, entropy, classes, float(loss), now.examples, patience.waited, seconds)
    return Now(state, patience, now.additions, (*now.evaluated, evaluation))


def _keep(run: Run, now: Now) -> None:
    columns = dict(zip(Evaluation._fields, zip(*now.evaluated, strict=True), strict=True))
    waited = {"waited_so_far": now.patience.waited, "best": now.patience.best}
    start = {"start": run.start[1], "additions": len(now.additions)}
    run.kept.write("state", start | columns | waited | leaves(now.state))
