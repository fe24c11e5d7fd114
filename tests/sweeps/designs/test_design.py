import dataclasses
import math
import re
from enum import Enum
from pathlib import Path
from typing import Literal, Optional

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.sweeps import design, grid, random_design
from infojax.sweeps.designs.fields import describe, from_python, from_text, types_of
from infojax.sweeps.designs.ranges import values_of


class Colour(Enum):
    RED = "r"
    BLUE = 2


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: float = 0.1


@dataclasses.dataclass(frozen=True)
class Config:
    ridge: float = 1.0
    seed: int = 0
    rule: Literal["hard", "easy", 3] = "hard"
    name: str = "a"
    flag: bool = False
    colour: Colour = Colour.RED
    limit: Optional[int] = None  # noqa: UP045
    mixed: int | float | str = 1
    sizes: tuple[int, ...] = (1, 2)
    pair: tuple[float, str] = (1.0, "x")
    nested: tuple[tuple[int, ...], ...] = ()
    folder: Path = Path()
    inner: Inner = dataclasses.field(default_factory=Inner)

    def __post_init__(self):
        if self.seed == 13:
            raise ValueError("thirteen is unlucky")


KINDS = types_of(Config)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("ridge", "1e-3", 1e-3),
        ("ridge", " 2 ", 2.0),
        ("ridge", "inf", math.inf),
        ("seed", "-3", -3),
        ("rule", "easy", "easy"),
        ("rule", "3", 3),
        ("name", "b c", "b c"),
        ("name", "'a,b'", "a,b"),
        ("name", "1", "1"),
        ("flag", "true", True),
        ("flag", "No", False),
        ("flag", "0", False),
        ("colour", "BLUE", Colour.BLUE),
        ("colour", "r", Colour.RED),
        ("colour", "2", Colour.BLUE),
        ("limit", "none", None),
        ("limit", "4", 4),
        ("mixed", "4", 4),
        ("mixed", "4.5", 4.5),
        ("mixed", "four", "four"),
        ("sizes", "(3,4)", (3, 4)),
        ("sizes", "[3]", (3,)),
        ("sizes", "(3,)", (3,)),
        ("sizes", "()", ()),
        ("pair", "(0.5, y)", (0.5, "y")),
        ("nested", "((1,2),(),(3,))", ((1, 2), (), (3,))),
        ("folder", "a/b", Path("a/b")),
    ],
)
def test_values_are_typed_by_annotations(field, text, value):
    found = from_text(field, text, KINDS[field])
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("ridge", "small", "float"),
        ("ridge", "nan", "float"),
        ("seed", "1.0", "int"),
        ("seed", "1e3", "int"),
        ("rule", "mid", "hard, easy or 3"),
        ("flag", "perhaps", "true or false"),
        ("colour", "GREEN", "RED or BLUE"),
        ("limit", "x", "int or none"),
        ("sizes", "3", r"tuple of int, such as \(1,2\)"),
        ("sizes", "(1.5,)", "tuple of int"),
        ("sizes", "(1,2", "tuple of int"),
        ("pair", "(1,2,3)", r"tuple \(float, text\)"),
        ("inner", "0.1", "Inner"),
    ],
)
def test_wrong_text_is_refused_with_field_value_and_type(field, text, expected):
    with pytest.raises(InvalidInput, match=rf"^{field}={re.escape(text)}: expected {expected}"):
        from_text(field, text, KINDS[field])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("seed", value) for value in (True, 1.0, "1", None)),
        *(("ridge", value) for value in ("1", True, math.nan)),
        *(("rule", value) for value in ("mid", 3.0)),
        *(("sizes", value) for value in (3, [1.5], "(1,)")),
        *(("flag", 1), ("name", 1), ("limit", 1.5), ("colour", "GREEN")),
    ],
)
def test_wrong_python_values_are_refused(field, value):
    with pytest.raises(InvalidInput, match=rf"^{field}=.*: expected"):
        from_python(field, value, KINDS[field])


def test_python_values_are_typed():
    given_ = {"ridge": 1, "sizes": [np.int64(3)], "limit": None, "colour": "BLUE", "inner": Inner(0.2)}
    (config,) = grid(Config(), {name: [value] for name, value in given_.items()})
    assert config == Config(ridge=1.0, sizes=(3,), colour=Colour.BLUE, inner=Inner(0.2))
    assert type(config.ridge) is float
    assert type(config.sizes[0]) is int


SCALARS = {
    "ridge": st.floats(allow_nan=False),
    "seed": st.integers(-(10**9), 10**9),
    "rule": st.sampled_from(["hard", "easy", 3]),
    "flag": st.booleans(),
    "limit": st.none() | st.integers(),
    "sizes": st.lists(st.integers(), max_size=4).map(tuple),
    "nested": st.lists(st.lists(st.integers(), max_size=2).map(tuple), max_size=3).map(tuple),
}


@given(st.data())
def test_what_is_written_is_read_again(data):
    field = data.draw(st.sampled_from(sorted(SCALARS)))
    values = data.draw(st.lists(SCALARS[field], min_size=1, max_size=5))
    text = ",".join(str(value).replace(" ", "") for value in values)
    assert values_of(field, text, KINDS[field]) == values
    assert [from_python(field, value, KINDS[field]) for value in values] == values


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="'\"()[],"), min_size=1), min_size=1))
def test_quotes_hold_text_together(words):
    quoted = [f"'{word},{word}'" for word in words]
    assert values_of("name", ",".join(quoted), str) == [f"{word},{word}" for word in words]


@given(st.text(max_size=20), st.sampled_from(sorted(KINDS)))
def test_no_text_does_anything_but_be_read_or_refused(text, field):
    try:
        values = values_of(field, text, KINDS[field])
    except InvalidInput:
        return
    assert [from_python(field, value, KINDS[field]) for value in values] == values


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


def test_types_in_words():
    assert describe(KINDS["mixed"]) == "int, float or text"
