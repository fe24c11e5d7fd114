import jax
import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from infojax.errors import InvalidInput
from infojax.scaling import (
    RidgeProblem,
    keep_easy,
    keep_hard,
    ridge_law,
    simulate_ridge,
    with_law,
    with_law_over_counts,
    with_simulation,
)

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
        law = ridge_law(RidgeProblem(rule(row["kept"]), pruner=row["pruner"], ratio=row["ratio"], ridge=row["ridge"]))
        for name, value in law._asdict().items():
            np.testing.assert_allclose(row[f"{name}_law"], value, rtol=1e-13)


def test_each_row_is_simulated_with_a_key_of_its_own():
    table = with_simulation(CELLS, **SIZE)
    assert table["name"].to_list() == ["a", "b", "c"]
    for index, (row, rule) in enumerate(
        zip(CELLS.iter_rows(named=True), (keep_hard, keep_easy, keep_hard), strict=True)
    ):
        problem = {name: row[name] for name in ("pruner", "ratio", "ridge")}
        key = jax.random.fold_in(jax.random.key(1), index)
        found = simulate_ridge(RidgeProblem(rule(row["kept"]), **problem), dimension=30, repeats=3, key=key)
        columns = found.columns()
        assert {name: table[name][index] for name in columns} == {name: float(v) for name, v in columns.items()}


def test_what_is_carried_along_is_no_part_of_the_problem(tmp_path):
    whole = with_simulation(CELLS, **SIZE, scratch=tmp_path)
    renamed = with_simulation(CELLS.with_columns(name=pl.lit("d")), **SIZE, scratch=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    assert renamed.drop("name").equals(whole.drop("name"))


def test_law_over_counts_is_the_mean_over_a_binomial():
    dimension = 60
    table = with_law_over_counts(CELLS, dimension=dimension)
    for row, rule in zip(table.iter_rows(named=True), (keep_hard, keep_easy, keep_hard), strict=True):
        n, p = round(dimension / row["ratio"]), row["kept"]
        counts = np.arange(1, n + 1)
        law = ridge_law(
            RidgeProblem(
                rule(p), pruner=row["pruner"], ratio=dimension * p / counts, ridge=row["ridge"] * n * p / counts
            )
        )
        weights = binom.pmf(counts, n, p)
        np.testing.assert_allclose(row["error_counts"], weights @ law.error / weights.sum(), rtol=1e-6)


def test_unknown_rules_are_refused():
    with pytest.raises(InvalidInput, match="no rule 'medium'; rules are hard, easy, random"):
        with_law(CELLS.with_columns(rule=pl.lit("medium")))
