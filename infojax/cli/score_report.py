"""What `infojax score` leaves behind: a table, a histogram, pictures of examples, and a few lines on the screen."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infojax.data import Dataset
from infojax.linearized import Training
from infojax.plots import contact_sheet, save, style
from infojax.sweeps import device, plain, precision, versions

PICTURES = 20
LINES = 10


class Scored(NamedTuple):
    """Scores of n examples and the training that they are for.

    Attributes:
        weights, functional: SI and F-SI (n,).
        residual: (n,) norm of target minus prediction after training.
        training: with the step size that was chosen.
    """

    weights: Float[np.ndarray, " n"]
    functional: Float[np.ndarray, " n"]
    residual: Float[np.ndarray, " n"]
    training: Training


def report(examples: Dataset, index: Int[np.ndarray, " n"], scored: Scored, asked: dict[str, Any], out: Path) -> None:
    """Write scores.parquet, record.json, histogram and pictures to the folder `out`, and print the extremes.

    `index` (n,) says where each example stands in the user's data, `asked` what the command was asked to do.
    """
    table = _table(examples, index, scored)
    table.write_parquet(out / "scores.parquet")
    made = {"versions": versions(), "device": device(), "precision": precision()}
    record = {"asked": asked, "training": plain(scored.training)} | made
    (out / "record.json").write_text(json.dumps(record, indent=1))
    written = ["scores.parquet", "record.json", *_histogram(scored, examples.name, out)]

    order = np.argsort(-scored.functional, kind="stable")
    drawn = _picturable(examples)
    if drawn:
        written += [
            _pictures(examples, scored, order[:PICTURES], "most", out),
            _pictures(examples, scored, order[::-1][:PICTURES], "least", out),
        ]
    _print(table, scored, written, drawn, out)


def _table(examples: Dataset, index: Int[np.ndarray, " n"], scored: Scored) -> pl.DataFrame:
    labelled = examples.y.ndim == 1
    rank = np.empty(len(index), np.int64)
    rank[np.argsort(-scored.functional, kind="stable")] = np.arange(1, len(index) + 1)
    columns = {
        "index": index,
        "label": examples.y if labelled else pl.Series([None] * len(index), dtype=pl.Int64),
        "class": [_class(examples, i) for i in range(len(index))],
        "si": scored.weights,
        "f_si": scored.functional,
        "rank": rank,
        "residual": scored.residual,
    }
    return pl.DataFrame(columns, schema_overrides={"class": pl.String})


def _class(examples: Dataset, i: int) -> str | None:
    return examples.classes[int(examples.y[i])] if examples.y.ndim == 1 else None


def _histogram(scored: Scored, name: str, out: Path) -> list[str]:
    import matplotlib.pyplot as plt

    labels = ("SI: change of the weights [nats]", "F-SI: change of the predictions [nats]")
    with style("full", columns=2):
        figure, axes = plt.subplots(1, 2)
        for axis, values, label in zip(axes, (scored.weights, scored.functional), labels, strict=True):
            axis.hist(values, bins=40)
            # Scores are heavy-tailed: the few informative examples would not be seen on a linear scale.
            axis.set_yscale("log")
            axis.set_ylim(bottom=0.5)
            axis.set_xlabel(label)
        axes[0].set_ylabel(f"examples of {name}")
    files = save(figure, out / "histogram", ".png", ".pdf")
    plt.close(figure)
    return [file.name for file in files]


def _picturable(examples: Dataset) -> bool:
    shape = examples.x.shape
    return len(shape) == 4 and shape[-1] in (1, 3) and min(shape[1:3]) > 1


def _pictures(examples: Dataset, scored: Scored, chosen: Int[np.ndarray, " p"], which: str, out: Path) -> str:
    import matplotlib.pyplot as plt

    captions = [f"{_class(examples, i) or ''}\n{scored.functional[i]:.2g}" for i in chosen.tolist()]
    title = f"The {which} informative examples: class, F-SI"
    figure = contact_sheet(examples.x[chosen], captions, columns=10, title=title)
    (file,) = save(figure, out / f"{which}_informative", ".png")
    plt.close(figure)
    return file.name


def _print(table: pl.DataFrame, scored: Scored, written: list[str], drawn: bool, out: Path) -> None:
    ranked = table.sort("rank")
    shown = Table("rank", "index", "class", "F-SI", "SI", "residual", title="What each example is worth")
    lines = min(LINES, ranked.height // 2)
    for part in (ranked.head(lines), ranked.tail(lines)):
        for row in part.iter_rows(named=True):
            numbers = (f"{row[name]:.4g}" for name in ("f_si", "si", "residual"))
            shown.add_row(str(row["rank"]), str(row["index"]), escape(row["class"] or ""), *numbers)
        shown.add_section()
    console = Console()
    console.print(shown)
    console.print(f"Trained by {scored.training}.", highlight=False)
    if not drawn:
        console.print("The examples are no images, so none are drawn.")
    console.print(f"Written to {out}: {', '.join(written)}", soft_wrap=True, highlight=False)
