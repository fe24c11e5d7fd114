"""Ranges of values, as the command line writes them."""

import pytest

from infojax.errors import InvalidInput
from infojax.sweeps import random_design
from infojax.sweeps.designs.ranges import values_of
from tests.sweeps.designs.fields_of_all_kinds import KINDS, Config


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        ("seed", "0..3", [0, 1, 2, 3]),
        ("seed", "-2..-1,7", [-2, -1, 7]),
        ("seed", "5..5", [5]),
        ("seed", "0..100:5", [0, 25, 50, 75, 100]),
        ("seed", "10..1000:3:log", [10, 100, 1000]),
        ("seed", "1..3:9:log", [1, 2, 3]),
        ("limit", "none,1..2", [None, 1, 2]),
        ("ridge", "0..1:3", [0.0, 0.5, 1.0]),
        ("ridge", "1e-4..1:3:log", [1e-4, 1e-2, 1.0]),
        ("ridge", "0.1..0.3:1", [0.1]),
        ("ridge", "-1..1:2,5", [-1.0, 1.0, 5.0]),
        ("seed", f"1..{10**21}:4:log", [1, 10**7, 10**14, 10**21]),
        ("seed", f"1..{10**21 + 1}:3", [1, 5 * 10**20 + 1, 10**21 + 1]),
        ("seed", "7..7:1", [7]),
        ("ridge", "1e308..1.7e308:2", [1e308, 1.7e308]),
        ("ridge", "5e-324..1:2:log", [5e-324, 1.0]),
        ("mixed", "0..1", [0, 1]),
        ("mixed", "0..1:3", [0.0, 0.5, 1.0]),
        ("name", "0..1", ["0..1"]),
    ],
)
def test_ranges(field, text, values):
    found = values_of(field, text, KINDS[field])
    assert found == pytest.approx(values) if field == "ridge" else found == values
    assert [type(value) for value in found] == [type(value) for value in values]
    assert found[0] == values[0]  # ends are exact
    assert found[-1] == values[-1]


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("ridge", "0..1", "how many points"),
        ("seed", "1..9:log", "how many points"),
        ("seed", "0..10:4", "not all whole numbers"),
        ("seed", "0..1:0", "points are not allowed"),
        ("seed", "0..10000000", "10000001 points are not allowed"),
        ("seed", "3..0", r"from low to high; write 0\.\.3"),
        ("ridge", "0..1:3:log", "begins above 0"),
        ("ridge", "0..inf:3", "finite ends"),
        ("ridge", "a..b:3", "expected a range of float"),
        ("ridge", "0..1:lin", "a range is low..high"),
        ("seed", "0..1.5", "expected a range of int"),
        ("seed", "0..1:" + "9" * 5000, "give 1 to 1,000,000 points"),
        ("ridge", "0..1:" + "9" * 5000, "give 1 to 1,000,000 points"),
        ("seed", "0.." + "9" * 400 + ":3", "finite ends"),
        ("seed", "0.." + "9" * 5000, "expected a range of int"),
        ("ridge", "-1.7e308..1.7e308:3", "no further apart than the largest number"),
        ("seed", f"1..{10**21}:3", "not all whole numbers"),
        ("seed", "", "seed has no values"),
        ("seed", "(1", "lacks"),
        ("seed", "1)", "closes nothing"),
        ("seed", "1,,2", "expected int"),
    ],
)
def test_bad_ranges_are_refused(field, text, message):
    with pytest.raises(InvalidInput, match=message):
        values_of(field, text, KINDS[field])


def test_a_range_as_wide_as_the_numbers_is_not_drawn_from():
    with pytest.raises(InvalidInput, match="no further apart"):
        random_design(Config(), {"ridge": "-1.7e308..1.7e308"}, samples=3)
