"""Damaged files: every reader answers within its contract, or refuses with a message that names the file."""

import io
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.data.formats.pickle_opcodes import read_pickle
from tests.fuzzing.damage import FAULTS, damaged, refused_or, tried
from tests.fuzzing.readers import READERS, readers

NAMES = [*READERS, "weights", "trained", "orbax", "result", "kernel", "compressed kernel"]


@pytest.mark.parametrize("name", NAMES)
def test_good_files_are_read(name):
    found = tried(readers()[name].files, readers()[name].read)
    assert found is not None
    assert readers()[name].keeps(found)


@pytest.mark.parametrize("name", NAMES)
@given(which=st.integers(0, 9), faults=FAULTS)
def test_damaged_files(name, which, faults):
    reader = readers()[name]
    file = sorted(reader.files)[which % len(reader.files)]
    found = tried({**reader.files, file: damaged(reader.files[file], faults)}, reader.read)
    assert found is None or reader.keeps(found)


def is_plain(found: Any) -> bool:
    return not isinstance(found, type) and type(found).__module__ in ("builtins", "infojax.data.formats.pickle_opcodes")


PICKLE = pickle.dumps({"a": [1, 2.5, (None, True)], "b": ("x", {"c": 2**70})}, protocol=2)


@given(FAULTS)
def test_damaged_pickles(faults):
    found = refused_or(lambda: (read_pickle(io.BytesIO(damaged(PICKLE, faults))),))
    assert found is None or is_plain(found[0])
