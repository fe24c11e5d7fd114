"""What is added in deliberate practice: whose judgement guides it, and what is kept of what was generated."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from infojax.generation.practice.candidates import Candidates, Drawing, Generate, candidates, hardest, labels_of
from infojax.generation.practice.policy import Policy
from infojax.rounds import Examples, Run, RunState, judge, name_of, unusable


@dataclass(frozen=True)
class PracticeSource:
    """Generated examples, guided and chosen as a policy says; a `Source` of `infojax.rounds`.

    Where the learner that should guide or rank has no opinion the examples are unguided and unselected, which the
    report says: a guidance that vanishes costs what guidance costs, and a ranking of equals is an accident.

    What it reports of an addition:
        generated: how many examples were generated for these.
        redrawn: how many of them came out not finite, and were drawn again.
        judged: examples whose entropy was computed.
        seconds: of generating.
        guided: whether a learner guided.
        fallback: why examples are unguided and not selected although the policy says so: "collapsed", where the learner
            predicts one class for all validation data, "flat", where its entropy is the same for all; else "".
        score, score_gradient, learner: evaluations of the score, of its gradient, and, in guidance, of the learner.
    """

    generate: Generate
    policy: Policy

    def __call__(self, run: Run, now: RunState, key: PRNGKeyArray) -> Examples:
        number, classes = len(now.additions), len(run.validation.classes)
        shape, name = run.validation.x.shape[1:], name_of(number)
        drawing = Drawing(self.generate, shape, run.plan.block, run.store, name)
        if not number:
            count = run.plan.start
            drawn = candidates(drawing, key, labels_of(count, classes, 0), None)
            return _examples(drawn, np.full(count, np.nan, np.float32), count)
        learner = run.trainer.learner(now.state)
        first = learner if number == 1 else run.trainer.learner(now.additions[1].before.state)
        guide = {None: None, "current": learner, "first": first}[self.policy.guide]
        ranked = self.policy.over_sampling > 1
        judged = judge(guide or learner, run.validation.x) if guide is not None or ranked else None
        fallback = "" if judged is None else unusable(judged)
        if fallback:
            guide, ranked = None, False
        count = round(self.policy.over_sampling * run.plan.added) if ranked else run.plan.added
        drawn = candidates(drawing, key, labels_of(count, classes, now.examples), guide)
        chosen, entropy = hardest(learner, drawn, run.plan.added)
        new = _examples(chosen, entropy, count)
        return new._replace(report=new.report | {"judged": count, "guided": guide is not None, "fallback": fallback})


def _examples(drawn: Candidates, entropy: Float[np.ndarray, " n"], generated: int) -> Examples:
    """Of which none was judged."""
    counts = {"generated": generated, "redrawn": drawn.redrawn, "judged": 0, "seconds": drawn.seconds}
    costs = dict(zip(("score", "score_gradient", "learner"), drawn.cost.tolist(), strict=True))
    return Examples(drawn.x, drawn.y, entropy, counts | {"guided": False, "fallback": ""} | costs)
