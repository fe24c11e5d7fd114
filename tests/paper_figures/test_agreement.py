import numpy as np
import polars as pl

from paper_figures._agreement import agreement


def test_points_that_are_off_by_little_are_counted_too():
    points = pl.DataFrame({"z": [0.5, -9.0, 5.0, -1.0], "relative": [0.2, -0.01, 0.07, 0.0]})
    off, largest, rms = agreement(points, repeats=8)
    assert off[1] == "2 of 4, 1 of them by more than 5 %"
    assert largest[1] == "20.0 % of the error"
    assert rms[1] == f"{np.sqrt((0.25 + 81 + 25 + 1) / 4):.2f} s.e."


def test_chance_is_that_of_students_t():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(200_000, 6))
    z = draws.mean(1) / (draws.std(1, ddof=1) / np.sqrt(6))
    off, _, rms = agreement(pl.DataFrame({"z": z, "relative": 0 * z}), repeats=6)
    counted, expected = int(off[1].split()[0]), float(off[3].split()[0])
    assert abs(counted - expected) < 5 * np.sqrt(expected)
    measured, chance = float(rms[1].split()[0]), float(rms[3].split()[0])
    assert abs(measured - chance) < 0.03
