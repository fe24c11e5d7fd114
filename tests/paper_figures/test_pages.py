"""Every figure is drawn from a small table of its experiment, with its numbers and its findings.

The tables hold a few rows of the results at the quick scale, so their findings say nothing about the papers.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import matplotlib as mpl
import polars as pl
import pytest

from infojax.plots import Entry, Finding, page, style
from infojax.sweeps import load_experiment, load_module, summaries
from paper_figures._drawing import NEEDS

FIGURES = sorted(summaries("paper_figures"))
TABLES = Path(__file__).parent / "tables"
TYPES = {"String": pl.String, "Float64": pl.Float64, "Int64": pl.Int64, "UInt32": pl.UInt32, "Boolean": pl.Boolean}


def small(experiment: str) -> dict[str, pl.DataFrame]:
    """A few rows of each table of an experiment."""
    told = json.loads((TABLES / f"{experiment}.json").read_text(encoding="utf-8"))
    return {name: table(each["types"], each["rows"]) for name, each in told.items()}


def table(types: dict[str, str], rows: list[list]) -> pl.DataFrame:
    values = {
        column: [float(row[place]) if kind == "Float64" and isinstance(row[place], str) else row[place] for row in rows]
        for place, (column, kind) in enumerate(types.items())
    }
    return pl.DataFrame(
        values, schema_overrides={column: TYPES[kind] for column, kind in types.items() if kind in TYPES}
    )


def changed(tables: dict[str, pl.DataFrame]) -> Iterator[dict[str, pl.DataFrame]]:
    """The same tables with other numbers in one column of one table."""
    for name, frame in tables.items():
        factors = pl.Series([1.3, 0.6, 1.1] * (frame.height // 3 + 1))[: frame.height]
        for column, kind in frame.schema.items():
            if kind.is_float():
                yield tables | {name: frame.with_columns(frame[column] * factors)}


@pytest.fixture(params=FIGURES)
def figure(request: pytest.FixtureRequest) -> tuple[ModuleType, dict[str, pl.DataFrame], object]:
    module = load_module("paper_figures", request.param, NEEDS)
    return module, small(module.EXPERIMENT), load_experiment(module.EXPERIMENT).PRESETS["quick"]


def test_a_figure_is_drawn_with_its_numbers_and_findings(figure):
    import matplotlib.pyplot as plt

    mpl.use("agg")
    module, tables, config = figure
    with style():
        drawn = module.draw(tables, config)
    drawn.canvas.draw()
    plt.close(drawn)
    numbers, findings = module.numbers(tables, config), module.findings(tables, config)
    assert numbers.columns[:3] == ["quantity", "ours", "paper"]
    assert numbers.width == 4
    assert numbers.height > 0
    assert findings
    assert all(isinstance(finding, Finding) for finding in findings)
    assert len({finding.text for finding in findings}) == len(findings)
    entry = Entry("a", module.TITLE, module.ANSWERS, numbers=numbers, findings=findings, remarks=module.remarks(config))
    assert page("Title", "A summary.", [entry]).count("<li") == len(findings) + 1


def test_findings_follow_the_table(figure):
    module, tables, config = figure
    before = module.findings(tables, config)

    def differ(others: dict[str, pl.DataFrame]) -> bool:
        try:
            return module.findings(others, config) != before
        except (ArithmeticError, LookupError, StopIteration, TypeError, ValueError, pl.exceptions.PolarsError):
            return False  # the column says where a row belongs, and no row is found there

    assert any(differ(others) for others in changed(tables))
