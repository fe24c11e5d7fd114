"""Deliberate practice: train; where learning stalls, generate examples that are hard for the learner; train on all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from infojax.data import Dataset
from infojax.errors import CorruptData, InvalidInput
from infojax.files import fingerprint, identity
from infojax.generation.practice.addition import restored
from infojax.generation.practice.candidates import Generate
from infojax.generation.practice.history import Evaluation, History
from infojax.generation.practice.keeping import Kept, from_leaves
from infojax.generation.practice.plan import Patience, Plan, Policy
from infojax.generation.practice.run import Now, Run, finish
from infojax.generation.practice.trainer import Trainer
from infojax.training import log_probabilities


def practise(
    generate: Generate,
    trainer: Trainer,
    validation: Dataset,
    policy: Policy,
    *,
    plan: Plan,
    key: PRNGKeyArray,
    checkpoint: Path | None = None,
    progress: Any = None,
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
    mark = fingerprint(jax.random.key_data(key), about, validation.x, validation.y)
    start = _start(trainer, validation, key)
    run = Run(generate, trainer, validation, policy, plan, key, Kept(checkpoint, mark), start)
    return finish(run, _left(run), progress)


def branch_out(
    history: History,
    trainer: Trainer,
    validation: Dataset,
    *,
    examples: int,
    progress: Any = None,
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
    at = [number for number, addition in enumerate(history.additions) if addition.before == examples and number]
    if not at:
        counts = [addition.before for addition in history.additions[1:]]
        raise InvalidInput(f"branch_out: examples={examples}; this run added to {counts or 'none'} examples.")
    before = history.additions[at[0]]
    now = Now(before.state, before.patience, history.additions[: at[0]], history.evaluated[: before.evaluation])
    plan = replace(history.plan, capacity=examples)
    start = before.state, np.empty(0)
    run = Run(_nothing, trainer, validation, history.policy, plan, history.key, Kept(None, ""), start)
    return finish(run, now, progress)


def _nothing(*_: Any) -> Any:
    raise AssertionError("a branch adds nothing")


def _start(trainer: Trainer, validation: Dataset, key: PRNGKeyArray) -> tuple[Any, np.ndarray]:
    state = trainer.begin(jax.random.fold_in(key, 0), validation.x.shape[1:])
    log_p = np.asarray(jax.jit(log_probabilities)(trainer.learner(state), jnp.asarray(validation.x[:16])))
    if log_p.shape[1] != len(validation.classes):
        raise InvalidInput(
            f"practise: the learner tells {log_p.shape[1]} classes apart, the validation data have "
            f"{len(validation.classes)}; give the network that many outputs, or one for two classes."
        )
    return state, log_p


def _left(run: Run) -> Now:
    """Where the checkpoint was left, or the beginning."""
    state, log_p = run.start
    saved = run.kept.read("state")
    if saved is None:
        return Now(state, Patience(), (), ())
    # A function has no fingerprint, but what it computes tells; loosely, as devices round differently.
    if not np.allclose(saved["start"], log_p, rtol=1e-2, atol=1e-3):
        raise InvalidInput(
            f"The checkpoint {run.kept.folder} was made with a network that computes other outputs from the same "
            "parameters. Give that network to go on from it; delete it, or give another folder, to begin anew."
        )
    additions = [restored(run.kept, number, state) for number in range(int(saved["additions"]))]
    if None in additions:
        lost = additions.index(None)
        raise CorruptData(f"{run.kept.folder} lacks the file of addition {lost}; delete the folder to begin anew.")
    columns = [saved[name].tolist() for name in Evaluation._fields]
    evaluated = tuple(Evaluation(*row) for row in zip(*columns, strict=True))
    patience = Patience(int(saved["waited_so_far"]), float(saved["best"]))
    return Now(from_leaves(saved, state), patience, tuple(filter(None, additions)), evaluated)
