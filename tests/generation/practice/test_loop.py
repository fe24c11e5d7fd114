import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.data import Dataset
from infojax.errors import CorruptData, InvalidInput
from infojax.generation.practice.loop import branch_out, practise
from infojax.generation.practice.policy import FROZEN, PRACTICE, STATIC, UNIFORM, prune
from infojax.generation.sampling.drawn import Cost, Samples
from infojax.models import Network, mlp
from infojax.rounds import Descent, Plan
from infojax.training import entropy

from .conftest import Corners, recipe, same

PLAN = Plan(start=20, added=10, capacity=60, growing=False, block=8)
KEY = jax.random.key(3)


class Stopped(Exception):
    pass


class Watched:
    """A progress that stops the run at an evaluation."""

    def __init__(self, stop_at):
        self.left = stop_at

    def add_task(self, *_, **__):
        return 0

    def advance(self, _):
        self.left -= 1
        if self.left == 0:
            raise Stopped


@pytest.fixture(scope="module")
def runs(descent, validation):
    """A run of each policy."""
    policies = {policy.name: policy for policy in (STATIC, UNIFORM, PRACTICE, FROZEN, prune(2.5))}
    generators = {name: Corners() for name in policies}
    given = {"plan": PLAN, "key": KEY}
    return {
        name: (practise(generators[name], descent, validation, policy, **given), generators[name])
        for name, policy in policies.items()
    }


def _equal(one, other):
    assert len(one.additions) == len(other.additions)
    assert same(one.learner, other.learner)
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.y, other.y)
    assert one.examples.equals(other.examples)
    assert one.added.drop("seconds").equals(other.added.drop("seconds"))
    assert one.evaluations.drop("seconds").equals(other.evaluations.drop("seconds"))


def test_history_is_complete(runs, descent, validation):
    for name, (history, _) in runs.items():
        examples, added, evaluations = history.examples, history.added, history.evaluations
        assert len(history.x) == len(history.y) == len(examples) == added["kept"].sum() == 60, name
        assert len(evaluations) == descent.evaluations == 40
        sizes = examples.group_by("addition", maintain_order=True).len()["len"]
        assert sizes.to_list() == added["kept"].to_list() == ([60] if name == "static" else [20, 10, 10, 10, 10])
        assert examples.filter(addition=0)["entropy"].null_count() == sizes[0]
        assert examples.filter(examples["addition"] > 0)["entropy"].null_count() == 0
        assert (examples["policy"] == name).all()
        for (before,), rows in added.group_by("before"):
            assert (evaluations["examples"] == before).any() or rows["addition"].item() == 0
        # entropies are of the learner that was there
        for addition in history.additions[1:]:
            learner = descent.learner(addition.before.state)
            np.testing.assert_allclose(
                addition.examples.entropy, entropy(learner, jnp.asarray(addition.examples.x)), rtol=1e-5
            )
        log_odds = history.learner.network.apply(history.learner.params, jnp.asarray(validation.x))[:, 0]
        accuracy = np.mean((np.asarray(log_odds) > 0) == validation.y)
        assert evaluations["accuracy"][-1] == pytest.approx(accuracy)


def test_policies_differ_in_what_they_say_and_in_nothing_else(runs, descent):
    stalled = [history.added["evaluation"][1] for name, (history, _) in runs.items() if name != "static"]
    assert len(set(stalled)) == 1  # until then they are one run
    for name, (history, corners) in runs.items():
        first, later = history.additions[0], history.additions[1:]
        np.testing.assert_array_equal(
            first.examples.x[:16], runs["static"][0].additions[0].examples.x[:16]
        )  # two blocks
        guides = [learner for _, learner in corners.asked]
        generated = [sum(len(labels) for labels, _ in corners.asked)]
        blocks = -(-len(first.examples.y) // 8)
        assert all(guide is None for guide in guides[:blocks])
        wanted = {"static": 60, "prune": 20 + 4 * 25}.get(name, 60)
        assert generated == [wanted]
        assert history.added["generated"].sum() == wanted
        if name in ("uniform", "prune", "static"):
            assert all(guide is None for guide in guides)
            assert not history.added["guided"].any()
        else:
            states = [addition.before.state for addition in later]
            expected = states if name == "practice" else states[:1] * len(states)
            for guide, state in zip(guides[blocks::2], expected, strict=True):  # ten examples, two blocks
                assert same(guide, descent.learner(state))
            assert history.added["guided"].to_list() == [False, True, True, True, True]
        counts = np.bincount(history.y, minlength=2)
        assert name == "prune" or counts[0] == counts[1]
    assert not same(runs["practice"][0].learner, runs["frozen"][0].learner)


def test_pruning_keeps_the_most_uncertain(runs, descent):
    history, corners = runs["prune"]
    fresh = Corners()
    for number, addition in enumerate(history.additions[1:], 1):
        key = jax.random.fold_in(jax.random.fold_in(KEY, 2), number)
        labels = (addition.before.examples + np.arange(25)) % 2
        keys = [jax.random.fold_in(jax.random.fold_in(key, index), 0) for index in range(4)]
        blocks = [fresh(each, labels[i * 8 : i * 8 + 8], None) for i, each in enumerate(keys)]
        x = np.concatenate([block.x for block in blocks])
        h = np.asarray(entropy(descent.learner(addition.before.state), jnp.asarray(x)))
        assert {tuple(row) for row in addition.examples.x.tolist()} == {
            tuple(row) for row in x[np.argsort(-h)[:10]].tolist()
        }
        assert addition.examples.entropy.min() >= np.sort(h)[-10] - 1e-6
    assert len(corners.asked) == 3 + 4 * 4


def test_costs_add_up(runs, descent):
    for name, (history, corners) in runs.items():
        added = history.added
        assert added["score"].sum() == sum(len(labels) for labels, _ in corners.asked)
        assert added["learner"].sum() == sum(2 * len(labels) for labels, guide in corners.asked if guide is not None)
        assert added["judged"].to_list() == [0, *(added["generated"][1:].to_list())]
        assert history.evaluations["gradients"].to_list() == [5 * 16 * (i + 1) for i in range(40)], name


@pytest.mark.parametrize("policy", [PRACTICE, prune(2.5)])
def test_a_run_goes_on_where_it_was_stopped(runs, descent, validation, policy, tmp_path):
    """Stopped after each evaluation in turn, or within the generation of an addition: the end is the same."""
    whole, _ = runs[policy.name]
    given = {"plan": PLAN, "key": KEY, "checkpoint": tmp_path / "run"}
    generated = []
    for evaluation in range(1, 40, 3):
        corners = Corners()
        with pytest.raises(Stopped):
            practise(corners, descent, validation, policy, **given, progress=Watched(3 if evaluation > 1 else 1))
        generated += [len(labels) for labels, _ in corners.asked]
    corners = Corners()
    _equal(practise(corners, descent, validation, policy, **given), whole)
    generated += [len(labels) for labels, _ in corners.asked]
    assert sum(generated) == whole.added["generated"].sum()  # nothing was generated twice
    _equal(practise(corners, descent, validation, policy, **given), whole)
    assert len(list((tmp_path / "run").iterdir())) == 1 + len(whole.additions)


def test_what_was_generated_before_a_failure_is_kept(runs, descent, validation, tmp_path):
    whole, _ = runs["practice"]
    given = {"plan": PLAN, "key": KEY, "checkpoint": tmp_path / "run"}

    calls = 0
    for fail_at in (1, 2, 2):  # in the initial examples; then between the two blocks of an addition
        failing = Corners(fails_at=fail_at)
        with pytest.raises(ConnectionError):
            practise(failing, descent, validation, PRACTICE, **given)
        calls += len(failing.asked)
    corners = Corners()
    _equal(practise(corners, descent, validation, PRACTICE, **given), whole)
    assert calls + len(corners.asked) == 3 + 2 * 4


def test_a_branch_is_the_run_with_less_room(runs, descent, validation):
    for policy in (UNIFORM, PRACTICE):
        whole, _ = runs[policy.name]
        for examples in (20, 40):
            plan = Plan(20, 10, examples, growing=False, block=8)
            short = practise(Corners(), descent, validation, policy, plan=plan, key=KEY)
            _equal(branch_out(whole, descent, validation, examples=examples), short)
            assert len(short.x) == examples
    with pytest.raises(InvalidInput, match="examples=25"):
        branch_out(whole, descent, validation, examples=25)
    with pytest.raises(InvalidInput, match="none"):
        branch_out(runs["static"][0], descent, validation, examples=20)


@pytest.mark.parametrize("unfinished", [True, False])
def test_examples_that_are_not_finite_are_drawn_again(descent, validation, unfinished):
    history = practise(Corners(breaks=2, unfinished=unfinished), descent, validation, PRACTICE, plan=PLAN, key=KEY)
    assert np.isfinite(history.x).all()
    assert history.added["redrawn"].to_list()[:2] == [0, 2]
    assert history.added["score"][1] == 8 * 3 + 2  # the first block three times, the second once


def test_a_score_that_stays_nan_is_an_error_and_loses_nothing(runs, descent, validation, tmp_path):
    given = {"plan": PLAN, "key": KEY, "checkpoint": tmp_path / "run"}
    with pytest.raises(InvalidInput, match=r"1 of 8 generated examples are not finite, 3 attempts .*guided"):
        practise(Corners(breaks=1000), descent, validation, PRACTICE, **given)
    history = practise(Corners(), descent, validation, PRACTICE, **given)
    first = runs["practice"][0].additions[1]
    finite = np.arange(10) != 2
    np.testing.assert_array_equal(history.additions[1].examples.x[finite], first.examples.x[finite])
    assert history.added["redrawn"][1] == 3


def _fixed(outputs):
    """A network that says the same whatever is trained."""
    return Network(lambda key, shape: jnp.zeros(1), lambda w, x: outputs(x) + 0 * w[:1][None])


@pytest.mark.parametrize(
    ("outputs", "fallback", "policy"),
    [
        (lambda x: x[:, :1] * 0 + 3.0, "collapsed", PRACTICE),
        (lambda x: jnp.sign(x[:, :1]) * 2.0, "flat", FROZEN),
        (lambda x: jnp.sign(x[:, :1]) * 200.0, "flat", prune(2.0)),
    ],
)
def test_a_learner_without_an_opinion_neither_guides_nor_ranks(validation, outputs, fallback, policy):
    corners = Corners()
    still = Descent(_fixed(outputs), recipe(20, batch=2), every=1)
    history = practise(corners, still, validation, policy, plan=PLAN, key=KEY)
    assert history.added["fallback"].to_list() == ["", *[fallback] * 4]
    assert all(learner is None for _, learner in corners.asked)
    assert history.added["generated"].sum() == 60
    assert history.evaluations["collapsed"].all() == (fallback == "collapsed")


def test_bad_input_is_refused(descent, validation, corners, tmp_path):
    given = {"plan": PLAN, "key": KEY}
    one_class = Dataset(validation.x, 0 * validation.y, classes=("even", "odd"))
    with pytest.raises(InvalidInput, match="at least two classes"):
        practise(corners, descent, one_class, UNIFORM, **given)
    with pytest.raises(InvalidInput, match="at least 2 are needed"):
        Dataset(validation.x[:0], validation.y[:0], classes=("even", "odd"))
    regression = Dataset(validation.x, validation.x)
    with pytest.raises(InvalidInput, match="at least two classes"):
        practise(corners, descent, regression, UNIFORM, **given)
    with pytest.raises(InvalidInput, match="3 classes apart"):
        practise(corners, Descent(mlp((4,), 3), recipe(20), every=2), validation, UNIFORM, **given)
    with pytest.raises(InvalidInput, match=r"shape \(8, 3\)"):
        practise(lambda key, y, learner: Samples(jnp.zeros((len(y), 3)), Cost()), descent, validation, UNIFORM, **given)
    wild = Descent(mlp((16,), 1), recipe(200, 1e30), every=5)
    with pytest.raises(InvalidInput, match="lower the learning_rate"):
        practise(corners, wild, validation, UNIFORM, **given)


def test_a_checkpoint_of_another_run_is_refused(descent, validation, corners, tmp_path):
    given = {"plan": PLAN, "key": KEY, "checkpoint": tmp_path / "run"}
    with pytest.raises(Stopped):
        practise(corners, descent, validation, PRACTICE, **given, progress=Watched(8))
    longer = Descent(descent.network, recipe(400, 1e-2, batch=16), every=5)
    others = [
        (corners, descent, validation, UNIFORM, given),
        (corners, descent, validation, PRACTICE, given | {"key": jax.random.key(4)}),
        (corners, descent, validation, PRACTICE, given | {"plan": Plan(20, 10, 70, growing=False, block=8)}),
        (corners, longer, validation, PRACTICE, given),
        (corners, descent, validation.take(199), PRACTICE, given),
        (lambda *_: corners(*_), descent, validation, PRACTICE, given),
    ]
    for *arguments, options in others:
        with pytest.raises(InvalidInput, match="belongs to other data"):
            practise(*arguments, **options)
    other = Descent(mlp((16,), 1, activation=jnp.tanh), descent.recipe, every=5)
    with pytest.raises(InvalidInput, match="computes other outputs"):
        practise(corners, other, validation, PRACTICE, **given)
    (tmp_path / "run" / "addition-0000.npz").unlink()
    with pytest.raises(CorruptData, match="addition 0"):
        practise(corners, descent, validation, PRACTICE, **given)
