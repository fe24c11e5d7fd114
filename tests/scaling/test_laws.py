"""What holds for every law of the registry, a further one too."""

import jax
import numpy as np
import pytest

from infojax import scaling
from infojax.errors import InvalidInput
from infojax.scaling import LAWS

# Small, and away from peaks and cliffs, where finite sizes are far from the law.
EASY = {"kept": 0.7, "ratio": 0.2, "ridge": 0.1, "rounds": 2, "generations": 2, "pruner": 0.9, "alpha": 3.0}
# At 100 dimensions the anisotropic law is a fifth off near its peak.
DIMENSIONS = {"anisotropic": 400, "perceptron": 80}
OUTSIDE = (-1e6, 1.5, 1e6, np.inf, np.nan)


def given(name, **changed):
    law = LAWS[name]
    numbers = {number: value for number, value in EASY.items() if number in law.numbers}
    first = {"rule": law.rules.usual[0]} if law.rules else {}
    return {**law.usual, **first, **numbers, "hold": "pool", "dimension": DIMENSIONS.get(name, 150), **changed}


@pytest.mark.parametrize("name", LAWS)
def test_law_and_simulation_agree(name):
    """Every quantity within 4 standard errors, or 5 % of the law."""
    law, problem = LAWS[name], given(name)
    measured = law.measure(problem, dimension=problem["dimension"], repeats=10, key=jax.random.key(0))
    for field, value in law.evaluate(problem)._asdict().items():
        mean, stderr = (np.ravel(getattr(both, field))[-1] for both in (measured.mean, measured.stderr))
        assert abs(mean - value) < max(4 * stderr, 0.05 * abs(value)), field
        assert stderr < 0.1 * abs(value), f"{field} is not measured well enough to test anything"


@pytest.mark.parametrize("name", LAWS)
def test_the_registry_names_what_the_law_returns(name):
    law = LAWS[name]
    assert law.evaluate(given(name))._fields == law.quantities
    assert callable(getattr(scaling, law.simulate))
    assert law.over in law.numbers
    assert law.problem.__name__ in scaling.__all__


@pytest.mark.parametrize(("name", "number"), [(name, number) for name, law in LAWS.items() for number in law.numbers])
def test_numbers_out_of_range_are_refused_by_their_name(name, number):
    outside = [value for value in OUTSIDE if not LAWS[name].numbers[number].range.holds(np.float64(value))]
    assert outside
    for value in outside:
        with pytest.raises(InvalidInput, match=number):
            LAWS[name].pose(given(name, rule="soft" if number == "strength" else "hard", **{number: value}))


@pytest.mark.parametrize("name", LAWS)
def test_usual_numbers_are_in_range_and_each_number_says_what_it_is(name):
    law = LAWS[name]
    law.pose(given(name, **law.usual))
    for number in law.numbers.values():
        assert number.help.endswith((".", "…"))
        assert number.low < number.high


@pytest.mark.parametrize("name", LAWS)
def test_problems_are_pytrees_that_arrays_broadcast_in(name):
    law = LAWS[name]
    number = next(number for number in law.numbers if number not in ("kept", "strength"))
    values = EASY.get(number, law.usual[number]) * np.array([[1.0], [0.9]])
    problem = law.pose(given(name, **{number: values}))
    again = jax.tree.map(lambda leaf: leaf, problem)
    assert type(again) is law.problem
    assert jax.tree.structure(again) == jax.tree.structure(problem)
    assert getattr(again, number) is getattr(problem, number)
    assert law.evaluate(given(name, **{number: values})).error.shape == (2, 1)


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.rules])
def test_rules_that_a_law_does_not_know_are_refused(name):
    rules = LAWS[name].rules
    with pytest.raises(InvalidInput, match="no rule 'medium'"):
        LAWS[name].pose(given(name, rule="medium"))
    if "soft" not in rules.known:
        with pytest.raises(InvalidInput, match="rules without weights"):
            LAWS[name].pose(given(name, rule="soft", strength=1.0))
