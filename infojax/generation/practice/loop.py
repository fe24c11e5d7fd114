"""Deliberate practice: train; where learning stalls, generate examples that are hard for the learner; train on all."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.files import fingerprint, identity
from infojax.generation.practice.candidates import Generate
from infojax.generation.practice.policy import Policy
from infojax.generation.practice.source import PracticeSource
from infojax.rounds import Examples, History, Plan, Run, RunState, RunStore, Trainer, finish, resume

if TYPE_CHECKING:
    from rich.progress import Progress


def practise(
    generate: Generate,
    trainer: Trainer,
    validation: Dataset,
    policy: Policy,
    *,
    plan: Plan,
    key: PRNGKeyArray,
    checkpoint: Path | None = None,
    progress: "Progress | None" = None,
) -> History:
    """A learner trained by Algorithm 1 of Deliberate Practice (arXiv 2502.15588), or by a policy it is compared with.

    With a `checkpoint` whatever was generated is on disk, as is the state at every evaluation: after an interruption
    the same call goes on from there, and ends with the same history to the last bit, seconds aside.

    Args:
        generate: `generate(key, labels, learner)` → `Samples`, guided by the learner, or unguided where it is None:
            `by_diffusion`, or the user's own function, such as one with images of another library.
        trainer: `Descent`, or another `Trainer`.
        validation: real examples, m ≥ 2 of at least two classes, of the shape and scale of those generated.
        policy: `STATIC`, `UNIFORM`, `PRACTICE`, `FROZEN`, `prune(r)`, or another.
        plan: when examples are added, and how many.
        key: of everything: the learner's start, its minibatches, the examples.
        checkpoint: a folder.
        progress: a `rich.progress.Progress`, advanced at each evaluation.

    Raises:
        InvalidInput: data without classes, or of one class; a learner with another number of classes; training that
            diverges; generated examples that stay NaN; a checkpoint of another run.
        CorruptData: a file in the checkpoint that is none of ours.
    """
    if len(np.unique(validation.y)) < 2 or validation.y.ndim != 1:
        raise InvalidInput(f"practise: {validation!r}; the accuracy needs labels of at least two classes.")
    about = [*map(identity, (plan, policy, trainer, generate)), len(validation.classes)]
    store = RunStore(checkpoint, fingerprint(jax.random.key_data(key), about, validation.x, validation.y))
    plan = replace(plan, start=plan.capacity) if policy.at_start else plan
    run = Run(trainer, validation, plan, PracticeSource(generate, policy), policy.name, key, store)
    return finish(run, resume(run), progress)


def branch_out(
    history: History,
    trainer: Trainer,
    validation: Dataset,
    *,
    examples: int,
    progress: "Progress | None" = None,
) -> History:
    """The end of a run that is like another until it has so many examples, and then gets no more.

    It is what `practise` gives with that capacity, without what both have in common.

    Args:
        history: of the other run.
        trainer, validation: as given there.
        examples: the number of examples at one of its additions.

    Raises:
        InvalidInput: the other run never added to so many examples.
    """
    later = history.additions[1:]
    at = [number for number, addition in enumerate(later, 1) if addition.before.examples == examples]
    if not at:
        counts = [addition.before.examples for addition in later]
        raise InvalidInput(f"branch_out: examples={examples}; this run added to {counts or 'none'} examples.")
    before = history.additions[at[0]].before
    evaluated, nothing = history.evaluated[: before.evaluations], np.empty((0, len(validation.classes)))
    now = RunState(before.state, before.patience, history.additions[: at[0]], evaluated, nothing)
    plan = replace(history.plan, capacity=examples)
    run = Run(trainer, validation, plan, _nothing, history.policy, history.key, RunStore(None, ""))
    return finish(run, now, progress)


def _nothing(run: Run, now: RunState, key: PRNGKeyArray) -> Examples:
    raise AssertionError("a branch adds nothing")
