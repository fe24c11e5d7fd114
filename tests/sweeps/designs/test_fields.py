"""Values of fields, from text and from Python."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.sweeps import grid
from infojax.sweeps.designs.fields import describe, from_python, from_text
from infojax.sweeps.designs.ranges import values_of
from tests.sweeps.designs.fields_of_all_kinds import KINDS, Colour, Config, Inner


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


def test_types_in_words():
    assert describe(KINDS["mixed"]) == "int, float or text"
