import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from infojax.errors import InvalidInput
from infojax.scaling import keep_easy, keep_hard, ridge_law
from infojax.scaling.ridge.comparison import deviations, with_law, with_law_over_counts, with_simulation

CELLS = pl.DataFrame(
    {
        "name": ["a", "b", "c"],
        "rule": ["hard", "easy", "hard"],
        "kept": [0.5, 0.4, 0.9],
        "pruner": [1.0, 0.8, 0.3],
        "ratio": [0.5, 0.2, 2.0],
        "ridge": [1e-2, 1e-1, 0.0],
    }
)
SIZE = {"dimension": 30, "repeats": 3, "seed": 1}


def test_law_of_each_row():
    table = with_law(CELLS)
    assert table["name"].to_list() == ["a", "b", "c"]
    for row, rule in zip(table.iter_rows(named=True), (keep_hard, keep_easy, keep_hard), strict=True):
        law = ridge_law(rule(row["kept"]), pruner=row["pruner"], ratio=row["ratio"], ridge=row["ridge"])
        for name, value in law._asdict().items():
            np.testing.assert_allclose(row[f"{name}_law"], value, rtol=1e-13)


def test_simulation_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    whole = with_simulation(CELLS, **SIZE)

    class Stop(Exception):
        pass

    def stops_at_the_third(*args, **kwargs):
        if len(list(tmp_path.glob("*.json"))) == 2:
            raise Stop
        return simulate(*args, **kwargs)

    import infojax.scaling.ridge.comparison as comparison

    simulate = comparison.simulate_ridge
    monkeypatch.setattr(comparison, "simulate_ridge", stops_at_the_third)
    with pytest.raises(Stop):
        with_simulation(CELLS, **SIZE, scratch=tmp_path)
    times = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*.json")}
    monkeypatch.setattr(comparison, "simulate_ridge", simulate)
    resumed = with_simulation(CELLS, **SIZE, scratch=tmp_path)
    assert resumed.equals(whole)
    assert len(list(tmp_path.iterdir())) == 3
    assert all(file.stat().st_mtime_ns == time for file, time in times.items())
    # another configuration finds nothing of it
    other = with_simulation(CELLS, **{**SIZE, "seed": 2}, scratch=tmp_path)
    assert (other["error"] != whole["error"]).all()


def test_deviations_are_in_units_of_the_law_and_of_the_standard_error():
    table = deviations(with_law(with_simulation(CELLS, **SIZE)))
    difference = table["error"] - table["error_law"]
    np.testing.assert_allclose(table["relative"], difference / table["error_law"])
    np.testing.assert_allclose(table["z"], difference / table["error_stderr"])


def test_law_over_counts_is_the_mean_over_a_binomial():
    dimension = 60
    table = with_law_over_counts(CELLS, dimension=dimension)
    for row, rule in zip(table.iter_rows(named=True), (keep_hard, keep_easy, keep_hard), strict=True):
        n, p = round(dimension / row["ratio"]), row["kept"]
        counts = np.arange(1, n + 1)
        law = ridge_law(
            rule(p), pruner=row["pruner"], ratio=dimension * p / counts, ridge=row["ridge"] * n * p / counts
        )
        weights = binom.pmf(counts, n, p)
        np.testing.assert_allclose(row["error_counts"], weights @ law.error / weights.sum(), rtol=1e-6)


def test_unknown_rules_are_refused():
    with pytest.raises(InvalidInput, match="no rule 'medium'; rules are hard, easy, random"):
        with_law(CELLS.with_columns(rule=pl.lit("medium")))
