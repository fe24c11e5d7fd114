import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.rounds._plan import Patience, Plan, after, exhausted


def _algorithm(accuracies, plan):
    """Algorithm 1 in plain words: at which evaluations examples are added, and how many there are then."""
    count, waited, best, added = plan.start, 0, -math.inf, []
    for number, accuracy in enumerate(accuracies):
        limit = plan.patience
        while plan.growing and limit * plan.start < plan.patience * count:
            limit += 1
        if number and waited >= limit and count < plan.capacity:
            count, waited = count + plan.added, 0
            added.append((number, count))
        waited = 0 if accuracy > best else waited + 1
        best = max(best, accuracy)
    return added


@given(
    st.lists(st.sampled_from([0.1, 0.5, 0.6, 0.7, 0.8, 0.9]), min_size=1, max_size=40),
    st.integers(1, 4),
    st.booleans(),
    st.integers(1, 30),
    st.integers(1, 20),
    st.integers(0, 5),
)
def test_examples_are_due_when_algorithm_1_says_so(accuracies, patience, growing, start, added, times):
    plan = Plan(start, added, start + times * added, patience=patience, growing=growing)
    count, now, found = start, Patience(), []
    for number, accuracy in enumerate(accuracies):
        if exhausted(now, plan, count):
            count, now = count + added, now._replace(waited=0)
            found.append((number, count))
        now = after(now, accuracy)
    assert found == _algorithm(accuracies, plan)


def test_patience_grows_with_the_data():
    plan = Plan(10, 10, 40, patience=2)
    assert [exhausted(Patience(4, 0.9), plan, count) for count in (10, 20, 30)] == [True, True, False]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"start": 0}, "start=0"),
        ({"added": 0}, "added=0"),
        ({"patience": 0}, "patience=0"),
        ({"block": 0}, "block=0"),
        ({"added": 30}, "such as 10"),
        ({"added": 8}, "such as 26"),
        ({"capacity": 5}, "such as 10"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        Plan(**({"start": 10, "added": 10, "capacity": 30} | wrong))
