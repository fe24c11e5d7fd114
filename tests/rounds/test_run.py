"""A run in rounds that is not deliberate practice: a learner asks a pool for the labels that it is least sure of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.models import mlp
from infojax.rounds import Descent, Examples, Plan, Run, RunStore, finish, judge, resume
from infojax.training import AdamW, Recipe, entropy, trapezoid

RNG = np.random.default_rng(0)
POOL = RNG.normal(size=(300, 2)).astype(np.float32)
LABELS = (POOL[:, 0] * POOL[:, 1] > 0).astype(int)
TRAINER = Descent(mlp((16,), 2), Recipe(120, trapezoid(1e-2, 120), batch=16, optimizer=AdamW(1e-4)), every=4)


class LeastSure:
    """Remembers nothing: what was asked for is in the run's state."""

    def __init__(self):
        self.calls = 0

    def __call__(self, run, now, key):
        self.calls += 1
        there = {tuple(row) for addition in now.additions for row in addition.examples.x.tolist()}
        free = np.array([number for number, row in enumerate(POOL.tolist()) if tuple(row) not in there])
        if not now.additions:
            rows = np.asarray(jax.random.choice(key, free, (run.plan.start,), replace=False))
            return Examples(POOL[rows], LABELS[rows], np.full(len(rows), np.nan, np.float32), {"looked at": 0})
        unsure = judge(run.trainer.learner(now.state), POOL[free]).entropy
        best = np.argsort(-unsure, kind="stable")[: run.plan.added]
        rows = free[best]
        return Examples(POOL[rows], LABELS[rows], unsure[best], {"looked at": len(free)})


class Stopping:
    def __init__(self, after):
        self.left = after

    def add_task(self, *_, **__):
        return 0

    def advance(self, _):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def a_run(source, folder=None, trainer=TRAINER):
    x = np.random.default_rng(1).normal(size=(200, 2)).astype(np.float32)
    validation = Dataset(x, (x[:, 0] * x[:, 1] > 0).astype(int), classes=("apart", "together"))
    plan = Plan(start=20, added=10, capacity=60, growing=False)
    return Run(trainer, validation, plan, source, "least sure", jax.random.key(0), RunStore(folder, "of this test"))


def test_active_learning_is_a_run_in_rounds():
    run = a_run(LeastSure())
    history = finish(run, resume(run))

    assert len(history.y) == 60
    assert len({tuple(row) for row in history.x.tolist()}) == 60
    assert history.added["looked at"].to_list() == [0, 280, 270, 260, 250]
    assert (history.examples["policy"] == "least sure").all()
    for addition in history.additions[1:]:
        learner, new = TRAINER.learner(addition.before.state), addition.examples
        np.testing.assert_allclose(new.entropy, entropy(learner, jnp.asarray(new.x)), rtol=1e-5)
        assert addition.before.examples < 60


def test_it_goes_on_where_it_was_interrupted(tmp_path):
    whole = finish(a_run(LeastSure()), resume(a_run(LeastSure())))
    source, folder = LeastSure(), tmp_path / "run"
    for after in (3, 7, 5):
        run = a_run(source, folder)
        with pytest.raises(KeyboardInterrupt):
            finish(run, resume(run), Stopping(after))
    run = a_run(source, folder)
    resumed = finish(run, resume(run))

    assert source.calls == 5  # nothing was asked for twice
    np.testing.assert_array_equal(resumed.x, whole.x)
    assert resumed.added.equals(whole.added)
    assert resumed.evaluations.drop("seconds").equals(whole.evaluations.drop("seconds"))
    jax.tree.map(np.testing.assert_array_equal, resumed.state, whole.state)


def test_a_learner_of_other_classes_is_refused():
    recipe = Recipe(8, 1e-2, batch=4)
    with pytest.raises(InvalidInput, match="least sure: the learner tells 3 classes apart"):
        resume(a_run(LeastSure(), trainer=Descent(mlp((4,), 3), recipe, every=2)))
