"""One addition to the training set: whose judgement guides it, what is kept of what was generated, and its record."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, PRNGKeyArray

from infojax.generation.practice.candidates import Generate, candidates, hardest, labels_of
from infojax.generation.practice.judging import judge, unusable
from infojax.generation.practice.keeping import Kept, from_leaves, leaves
from infojax.generation.practice.plan import Patience, Plan, Policy
from infojax.training import Learner


class Addition(NamedTuple):
    """Examples added at once; the first of a run are those that it begins with.

    Attributes:
        x, y: the examples (n, *shape) and their labels (n,).
        entropy: of each under the learner when it was added, nats; NaN for those before any training.
        evaluation: the number of evaluations before.
        before: the number of examples before.
        state: of the trainer before, from which a run can branch out.
        patience: before.
        generated: how many examples were generated for these.
        redrawn: how many of them came out not finite, and were drawn again.
        cost: evaluations of the score, of its gradient, and, in guidance, of the learner.
        judged: examples whose entropy was computed.
        seconds: of generating.
        guided: whether a learner guided.
        fallback: why examples are unguided and not selected although the policy says so: "collapsed", where the learner
            predicts one class for all validation data, "flat", where its entropy is the same for all; else "".
    """

    x: Float[np.ndarray, "n ..."]
    y: Int[np.ndarray, " n"]
    entropy: Float[np.ndarray, " n"]
    evaluation: int
    before: int
    state: Any
    patience: Patience
    generated: int
    redrawn: int
    cost: Float[np.ndarray, "3"]
    judged: int
    seconds: float
    guided: bool
    fallback: str


_PLAIN = ("evaluation", "before", "generated", "redrawn", "judged", "seconds", "guided", "fallback")
_ARRAYS = ("x", "y", "entropy", "cost")


def name_of(number: int) -> str:
    """Of the file that keeps an addition."""
    return f"addition-{number:04d}"


def initial(
    generate: Generate, policy: Policy, plan: Plan, *, state: Any, validation: np.ndarray, classes: int,
    key: PRNGKeyArray, kept: Kept,
) -> Addition:  # fmt: skip
    """The examples that a run begins with, unguided: N, or all N + kP of a static run."""
    count = plan.capacity if policy.at_start else plan.start
    labels, name = labels_of(count, classes, 0), name_of(0)
    drawn = candidates(generate, key, labels, None, validation.shape[1:], plan.block, kept, name)
    entropy = np.full(count, np.nan, np.float32)
    addition = Addition(
        drawn.x,
        drawn.y,
        entropy,
        0,
        0,
        state,
        Patience(),
        count,
        drawn.redrawn,
        drawn.cost,
        0,
        drawn.seconds,
        False,
        "",
    )
    return _kept(kept, name, addition)


def practised(
    generate: Generate, policy: Policy, plan: Plan, *, learner: Learner, first: Learner, state: Any, patience: Patience,
    evaluation: int, count: int, number: int, validation: np.ndarray, classes: int, key: PRNGKeyArray, kept: Kept,
) -> Addition:  # fmt: skip
    """P more examples as the policy says, for the current learner; `first` is that of the first addition.

    Where the learner that should guide or rank has no opinion the examples are unguided and unselected, which the
    record says: a guidance that vanishes costs what guidance costs, and a ranking of equals is an accident.
    """
    guide = {None: None, "current": learner, "first": first}[policy.guide]
    ranked = policy.over_sampling > 1
    fallback = unusable(judge(guide or learner, validation)) if guide is not None or ranked else ""
    if fallback:
        guide, ranked = None, False
    many = round(policy.over_sampling * plan.added) if ranked else plan.added
    labels, name = labels_of(many, classes, count), name_of(number)
    drawn = candidates(generate, key, labels, guide, validation.shape[1:], plan.block, kept, name)
    chosen, entropy = hardest(learner, drawn, plan.added)
    addition = Addition(
        chosen.x, chosen.y, entropy, evaluation, count, state, patience, many, drawn.redrawn, drawn.cost, many,
        drawn.seconds, guide is not None, fallback,
    )  # fmt: skip
    return _kept(kept, name, addition)


def _kept(kept: Kept, name: str, addition: Addition) -> Addition:
    """The addition, now that all of it is on disk; the blocks that it was made of are not needed any more."""
    fields = {field: getattr(addition, field) for field in (*_PLAIN, *_ARRAYS)}
    patience = {"waited": addition.patience.waited, "best": addition.patience.best}
    kept.write(name, fields | patience | leaves(addition.state))
    kept.remove(f"{name}-*")
    return addition


def restored(kept: Kept, number: int, like: Any) -> Addition | None:
    """An addition that is on disk, with a state of the structure of `like`; None where it is not."""
    saved = kept.read(name_of(number))
    if saved is None:
        return None
    fields: dict[str, Any] = {field: saved[field].item() for field in _PLAIN}
    fields |= {field: saved[field] for field in _ARRAYS}
    patience = Patience(int(saved["waited"]), float(saved["best"]))
    return Addition(**fields, state=from_leaves(saved, like), patience=patience)
