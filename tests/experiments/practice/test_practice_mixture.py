"""The experiments on deliberate practice, small: every policy at equal numbers, and what is kept is not run again."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.practice import practice_costs, practice_mixture
from experiments.practice._practice import LearnerConfig, MixtureConfig, mixture

SMALL = MixtureConfig(dimension=3, classes=2, modes=2, n_validation=100, n_test=400)
LEARNER = LearnerConfig(width=8, iterations=40, every=2, batch=8)


class Silent:
    """Shows no progress."""

    def track(self, things, **_):
        return things


def test_the_bayes_classifier_is_the_best(tmp_path):
    """Two Gaussians of unit variance at a distance D: it errs with probability Φ(−D/2)."""
    from scipy.stats import norm

    config = replace(SMALL, modes=1, n_test=20_000)
    problem = mixture(config)
    a, b = np.asarray(problem.generator.params.means)
    exact = norm.cdf(-np.linalg.norm(a - b) / 2)
    assert problem.best == pytest.approx(exact, abs=4 * np.sqrt(exact / 20_000))


def test_every_policy_has_every_size(tmp_path, monkeypatch):
    config = practice_mixture.Config(
        problem=SMALL, learner=LEARNER, start=16, added=16, sizes=(32, 48), steps=3, over_sampling=(2.0,), runs=1
    )
    runs = practice_mixture.run(config, tmp_path, Silent())["runs"]
    assert set(runs["policy"]) == {"static", "uniform", "practice", "frozen", "prune 2"}
    for (policy,), rows in runs.group_by("policy"):
        assert sorted(rows["examples"]) == [32, 48], policy
        generated = [48, 80] if policy == "prune 2" else [32, 48]
        assert sorted(rows["generated"]) == generated
    one = {policy: runs.filter(policy=policy, examples=32)["error"].item() for policy in ("practice", "frozen")}
    assert one["practice"] == one["frozen"]  # one addition, by the same learner

    def again(*_, **__):
        raise AssertionError("it was finished")

    monkeypatch.setattr(practice_mixture, "practise", again)
    assert practice_mixture.run(config, tmp_path, Silent())["runs"].equals(runs)


def test_costs_of_an_added_example(tmp_path):
    config = practice_costs.Config(
        problem=SMALL, learner=LEARNER, start=16, ratios=(2.0, 4.0), strengths=(2.0,), steps=3, runs=1
    )
    tables = practice_costs.run(config, tmp_path, Silent())
    price = practice_costs.Prices(**tables["prices"].row(0, named=True))
    judging = price.learner / (3 * price.score)
    cost = {(kind, ratio): cost for kind, ratio, cost in tables["runs"].select("kind", "ratio", "cost").iter_rows()}
    for ratio in (1.0, 2.0, 4.0):
        assert cost["pruned", ratio] == pytest.approx(ratio * (1 + judging))
    assert cost["guided", 1.0] == pytest.approx(price.guided() + judging)
    assert set(tables["break_even"]["source"]) == {"measured", "law"}
    laws = tables["laws"].filter(kind="guided").sort("strength")["error"]
    assert laws[0] > laws[-1]  # in the linear case stronger guidance is better, as far as it goes
