"""Designs: grids, parts, and random ones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.sweeps import design, grid, random_design
from tests.sweeps.designs.fields_of_all_kinds import Config


@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=4),
    st.lists(st.sampled_from([0.1, 0.5, 2.0]), min_size=1, max_size=4),
    st.integers(1, 3),
)
def test_a_grid_is_the_product_without_what_is_equal(seeds, ridges, zipped):
    configs = grid(
        Config(), {"seed": seeds, "ridge": ridges}, zipped={"name": list("abc")[:zipped], "limit": list(range(zipped))}
    )
    expected = dict.fromkeys((seed, ridge, "abc"[i], i) for seed in seeds for ridge in ridges for i in range(zipped))
    assert [(c.seed, c.ridge, c.name, c.limit) for c in configs] == list(expected)


def test_a_design_of_nothing_is_the_config():
    assert design(Config(seed=4)) == [Config(seed=4)]


def test_parts_combine():
    configs = design(
        Config(),
        fixed={"name": "b"},
        over={"seed": "0..1"},
        random={"ridge": "0..1"},
        samples=3,
        rows=[{"limit": 1}, {"limit": 2, "flag": True}],
    )
    assert len(configs) == 2 * 3 * 2
    assert {config.name for config in configs} == {"b"}
    assert {(config.limit, config.flag) for config in configs} == {(1, False), (2, True)}


def test_random_designs_grow():
    ranges = {"ridge": "1e-4..1:log", "seed": "20..1000"}
    few, many = (random_design(Config(), ranges, samples=samples, seed=3) for samples in (20, 60))
    assert many[:20] == few
    alone = design(Config(), random={"seed": "20..1000000"}, samples=40, seed=3)
    beside = design(Config(), random={"seed": "20..1000000", "ridge": "0..1"}, samples=40, seed=3)
    assert [c.seed for c in alone] == [c.seed for c in beside]
    assert random_design(Config(), ranges, samples=20, seed=4) != few


def test_random_designs_fill_their_ranges_evenly():
    configs = random_design(
        Config(),
        {"ridge": "1e-4..1:log", "seed": "-2..2", "limit": "1..100:log", "rule": "hard,easy", "mixed": "0..1:3"},
        samples=4000,
    )
    logs = np.log10([config.ridge for config in configs])
    # a uniform variable on [−4, 0] has mean −2 and standard error 4/√12/√4000
    assert abs(logs.mean() + 2) < 4 * 4 / math.sqrt(12 * 4000)
    assert logs.min() < -3.98
    assert logs.max() > -0.02
    counts = np.bincount([config.seed + 2 for config in configs], minlength=5)
    assert len(counts) == 5
    assert np.abs(counts - 800).max() < 4 * math.sqrt(800)
    assert {type(config.seed) for config in configs} == {int}
    limits = [config.limit for config in configs]
    assert (min(limits), max(limits)) == (1, 100)
    assert abs(np.mean(np.array(limits) <= 9) - math.log(9.5 / 0.5) / math.log(100.5 / 0.5)) < 0.03
    assert {config.rule for config in configs} == {"hard", "easy"}
    assert {config.mixed for config in configs} == {0, 0.5, 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"over": {"sed": [1]}}, "no field 'sed'; did you mean 'seed'\\? the fields are ridge, seed, rule"),
        ({"over": {"zzz": [1]}}, "no field 'zzz'; the fields are"),
        ({"over": {"seed": []}}, "seed has no values"),
        ({"over": {"seed": "1"}, "fixed": {"seed": 2}}, "'seed' is given twice"),
        ({"rows": [{"seed": 1}], "zipped": {"seed": [2]}}, "'seed' is given twice"),
        ({"zipped": {"seed": "1,2", "ridge": "1"}}, "as many values each; there are: seed 2, ridge 1"),
        ({"random": {"seed": "1..2"}}, "how many samples"),
        ({"samples": 3}, "the fields to draw"),
        ({"random": {"seed": "1..2"}, "samples": 0}, "samples=0 is not allowed"),
        ({"random": {"seed": "1..2"}, "samples": 1, "seed": -1}, "seed -1 of a design"),
        ({"over": {"seed": "0..999999", "ridge": "1,2"}}, "2,000,000 configs"),
        ({"over": {"seed": "12..14"}, "fixed": {"ridge": 2}}, r"refuses ridge=2.0, seed=13: thirteen is unlucky"),
    ],
)
def test_bad_designs_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        design(Config(), **arguments)
