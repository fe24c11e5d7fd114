from typing import NamedTuple

import jax
import numpy as np
import polars as pl
import pytest

from infojax.scaling._cells import deviations, simulated
from infojax.scaling._repeats import Simulated

CELLS = pl.DataFrame({"size": [1.0, 10.0, 100.0]})


class Found(NamedTuple):
    error: np.ndarray


def simulate(cell, key):
    error = np.asarray(cell["size"][0] * jax.random.uniform(key))
    return Simulated(Found(error), Found(np.asarray(0.5)))


def table(cells=CELLS, simulate=simulate, scale=1, seed=0, scratch=None):
    return simulated(cells, simulate, Found._fields, settings={"scale": scale}, seed=seed, scratch=scratch)


def test_finished_cells_are_found_again_after_an_interruption(tmp_path):
    class Stop(Exception):
        pass

    def stops_at_the_last(cell, key):
        if cell["size"][0] == 100:
            raise Stop
        return simulate(cell, key)

    whole = table()
    with pytest.raises(Stop):
        table(simulate=stops_at_the_last, scratch=tmp_path)
    times = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert len(times) == 2
    assert table(scratch=tmp_path).equals(whole)
    assert len(list(tmp_path.iterdir())) == 3
    assert all(file.stat().st_mtime_ns == time for file, time in times.items())


@pytest.mark.parametrize("other", [{"seed": 1}, {"scale": 2}, {"cells": CELLS.with_columns(size=pl.col("size") * 2)}])
def test_other_cells_seeds_and_settings_find_nothing_of_it(tmp_path, other):
    table(scratch=tmp_path)
    again = table(**other, scratch=tmp_path)
    assert len(list(tmp_path.iterdir())) == 6
    assert again.equals(table(**other))


def test_no_cells_have_columns_too():
    assert table(CELLS.head(0)).schema == {"error": pl.Float64, "error_stderr": pl.Float64}


def test_deviations_are_in_units_of_the_law_and_of_the_standard_error():
    found = deviations(pl.DataFrame({"error": [0.5], "error_law": [0.4], "error_stderr": [0.2]}))
    np.testing.assert_allclose(found.select("relative", "z").row(0), [0.25, 0.5])


def test_cells_that_were_damaged_or_swapped_are_computed_again(tmp_path):
    whole = table(scratch=tmp_path)
    first, second, third = sorted(tmp_path.iterdir())
    rng = np.random.default_rng(0)
    for _ in range(40):
        content = bytearray(first.read_bytes())
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        first.write_bytes(content)
        assert table(scratch=tmp_path).equals(whole)
    second.write_bytes(first.read_bytes())
    third.write_bytes(b"")
    assert table(scratch=tmp_path).equals(whole)
    # as an earlier infojax has kept them
    first.write_text('{"error": 0.25, "error_stderr": 0.5}')
    assert table(scratch=tmp_path).equals(whole)
