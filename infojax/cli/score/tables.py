"""The tables of `infojax score`: a row for each example, for each group of them, and for each score."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Int, Shaped

from infojax.cli.score.linearized import Scored, classes_of
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.files import write_whole


class Groups(NamedTuple):
    """Which group each example is in.

    Attributes:
        by: the column that groups them.
        names: of the groups.
        labels: (n,) positions in `names`.
    """

    by: str
    names: Shaped[np.ndarray, " G"]
    labels: Int[np.ndarray, " n"]

    @property
    def largest(self) -> int:
        return int(np.bincount(self.labels).max())


def groups_by(examples: Dataset, column: str) -> Groups:
    """Groups of the examples with the same value in a column: "class", or one of the user's own.

    Raises InvalidInput when there is no such column, or one value only: no example would be left without it.
    """
    columns = dict(examples.columns)
    if examples.y.ndim == 1:
        columns["class"] = np.array(examples.classes)[examples.y]
    if column not in columns:
        known = f"its columns are {', '.join(columns)}" if columns else "it has no columns"
        raise InvalidInput(
            f"--group-by {column}: {examples.name} has no such column; {known}. Columns are further arrays of an .npz "
            "with one number or string for each example; the sub-folders (folder) and further columns of labels.csv "
            "of a folder of images."
        )
    names, labels = np.unique(columns[column], return_inverse=True)
    if len(names) < 2:
        raise InvalidInput(
            f"--group-by {column}: all {len(examples)} examples have {str(names[0])!r} there, and without them nothing "
            "is left to train on; group by another column, or score more examples."
        )
    return Groups(column, names, labels.astype(np.int64))


def examples_table(examples: Dataset, index: Int[np.ndarray, " n"], found: Scored) -> pl.DataFrame:
    """The scores of every example, with where it stands in the user's data, what is known of it, and its prediction."""
    scores, residuals = found.scores, found.residuals()
    labelled = examples.y.ndim == 1
    outputs = (examples.targets - residuals, found.held_out()) if labelled else (None, None)
    predicted, without = (None if given is None else classes_of(given, examples) for given in outputs)
    rank = np.empty(len(index), np.int64)
    rank[np.argsort(-scores.f_si, kind="stable")] = np.arange(1, len(index) + 1)
    columns = {
        "index": index,
        "label": examples.y if labelled else pl.Series([None] * len(index), dtype=pl.Int64),
        "class": _names(examples, examples.y if labelled else None),
        "predicted": _names(examples, predicted),
        "predicted_without": _names(examples, without),
        "si": scores.si,
        "f_si": scores.f_si,
        "rank": rank,
        "residual": np.linalg.norm(residuals, axis=1),
    }
    words = ("class", "predicted", "predicted_without")
    return pl.DataFrame(columns, schema_overrides=dict.fromkeys(words, pl.String))


def with_score(table: pl.DataFrame, name: str, found: Scored) -> pl.DataFrame:
    """The table with one more baseline; as it is where that is there already."""
    column = column_of(name)
    if column in table.columns:
        return table
    return table.with_columns(pl.Series(column, found.baseline(name)))


def with_own(table: pl.DataFrame, examples: Dataset) -> pl.DataFrame:
    """The table with the user's own columns behind the others, as own_NAME where the name is taken."""
    for name, values in examples.columns.items():
        while name in table.columns:
            name = f"own_{name}"
        table = table.with_columns(pl.Series(name, values))
    return table


def column_of(score: str) -> str:
    """The name of a score in tables."""
    return score.replace("-", "_")


def groups_table(found: Scored, groups: Groups, table: pl.DataFrame) -> pl.DataFrame:
    """What each group is worth, left out as a whole, beside the sum of what its examples are worth singly.

    The redundancy is F-SI of the group / sum of F-SI of its examples: 1 where the examples teach different things;
    larger where each is hardly missed, as the others teach the same; below 1 where they pull against each other.
    """
    try:
        scores = found.of_groups(groups.labels)
    except InvalidInput as error:
        kept = len(groups.labels) - groups.largest
        raise InvalidInput(f"--group-by {groups.by}, with {kept} examples left without a group: {error}") from error
    examples = np.bincount(groups.labels)
    singly = np.bincount(groups.labels, weights=table["f_si"].to_numpy())
    columns = {
        "group": groups.names,
        "examples": examples,
        "si": scores.si,
        "f_si": scores.f_si,
        "f_si_per_example": scores.f_si / examples,
        "sum_of_single_f_si": singly,
        "redundancy": np.divide(scores.f_si, singly, out=np.full(len(singly), np.nan), where=singly > 0),
    }
    return pl.DataFrame(columns).with_columns(pl.col("redundancy").fill_nan(None)).sort("f_si", descending=True)


def correlations_table(table: pl.DataFrame, scores: tuple[str, ...]) -> pl.DataFrame:
    """Spearman's rank correlation of each score with F-SI over the examples; null for a constant score."""
    spearman = [table.select(pl.corr(column_of(name), "f_si", method="spearman")).item() for name in scores]
    return pl.DataFrame({"score": scores, "spearman": pl.Series(spearman, dtype=pl.Float64).fill_nan(None)})


def order(table: pl.DataFrame, score: str) -> Int[np.ndarray, " n"]:
    """The rows of the table, those with the largest score first."""
    return np.argsort(-table[column_of(score)].to_numpy(), kind="stable")


def contradicted(table: pl.DataFrame) -> int:
    """How many labels the network trained without the example contradicts."""
    return int((table["class"] != table["predicted_without"]).sum())


def write(table: pl.DataFrame, file: Path) -> str:
    """Write a Parquet file, in one step where it replaces another; returns its name."""
    return write_whole(file, table.write_parquet).name


def _names(examples: Dataset, labels: Any) -> list[str | None]:
    return [None] * len(examples) if labels is None else [examples.classes[label] for label in labels.tolist()]
