"""The files of `infojax score`, each written as soon as it is computed: what comes later may fail."""

import datetime
import json
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Int
from rich.progress import Progress

from infojax.cli.score.linearized import Scored, classes_of
from infojax.cli.score.tables import (
    Groups,
    column_of,
    contradicted,
    correlations_table,
    examples_table,
    groups_table,
    order,
    with_own,
    with_score,
    write,
)
from infojax.cli.screen.keeping import Keeping
from infojax.data import Dataset
from infojax.files import write_whole
from infojax.linearized import Training
from infojax.plots import contact_sheet, save, style
from infojax.sweeps import device, plain, precision, versions

PICTURES = 20
# Pictures of suspects, and lines where they are no images; the table has all of them.
SUSPECTS = 100


class Report(NamedTuple):
    """What was found of n examples, for the page and the screen.

    Attributes:
        examples: in the order of `table`.
        table: a row for each of them, as in scores.parquet.
        training: with the step size that was chosen.
        fit: how well the trained network predicts: accuracies, or root mean square errors.
        scores: names of the scores beside F-SI.
        correlations: of these with F-SI.
        groups: as in groups.parquet; None where none were asked for.
        suspects: rows of `table`, the most suspect first.
        histogram: a PNG file; empty where it could not be drawn.
        record: as in record.json.
        keeping: which files were written, and which could not be.
    """

    examples: Dataset
    table: pl.DataFrame
    training: Training
    fit: dict[str, float]
    scores: tuple[str, ...]
    correlations: pl.DataFrame
    groups: pl.DataFrame | None
    suspects: Int[np.ndarray, " s"]
    histogram: bytes
    record: dict[str, Any]
    keeping: Keeping


def report(
    examples: Dataset,
    others: Dataset,
    index: Int[np.ndarray, " n"],
    found: Scored,
    groups: Groups | None,
    asked: dict[str, Any],
    said: list[str],
    out: Path,
    progress: Progress,
    about: float | None = None,
) -> Report:
    """Compute the scores, then groups and baselines, and write tables, histogram and pictures to the folder `out`.

    `index` (n,) says where each example stands in the user's data, `asked` what the command was asked to do, `said`
    what was warned of so far (what is warned of meanwhile is added to it), `about` how many seconds leaving out takes.
    """
    task = progress.add_task("leave-one-out", total=None, about=about)
    table = examples_table(examples, index, found)
    keeping = Keeping(out)
    keeping.write(lambda folder: write(with_own(table, examples), folder / "scores.parquet"), "scores.parquet")
    made = {"versions": versions(), "device": device(), "precision": precision()}
    fit = _fit(table, found, others)
    record = {"asked": asked, "training": plain(found.training), "fit": fit, "warnings": said} | made
    record["digits"] = _digits(found)
    record["written"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    keeping.write(partial(_record, record), "record.json")
    keeping.write(partial(_histogram, table, examples.name), "histogram.png", "histogram.pdf")
    drawn = picturable(examples)
    if drawn:
        ranked = order(table, "f-si")
        for which, chosen in (("most", ranked[:PICTURES]), ("least", ranked[::-1][:PICTURES])):
            captions = [f"{_short(table['class'][i])}\n{table['f_si'][i]:.2g}" for i in chosen.tolist()]
            title = f"The {which} informative examples: class, F-SI"
            keeping.write(
                partial(_pictures, examples, chosen, captions, title, f"{which}_informative"),
                f"{which}_informative.png",
            )

    grouped = None
    if groups is not None:
        progress.update(task, description="leaving out groups", about=None)
        made_groups = grouped = groups_table(found, groups, table)
        keeping.write(lambda folder: write(made_groups, folder / "groups.parquet"), "groups.parquet")

    progress.update(task, description="baselines", about=None)
    count, by = asked["suspects"], asked["suspects_by"]
    asked_for: list[str] = ["si", *asked["baseline"], *([by] if count and by != "f-si" else [])]
    scores = tuple(dict.fromkeys(asked_for))
    for name in scores:
        table = with_score(table, name, found)
    whole = table = with_own(table, examples)
    keeping.write(lambda folder: write(whole, folder / "scores.parquet"), "scores.parquet")
    correlations = correlations_table(table, scores)
    record["correlations"] = dict(correlations.iter_rows())
    keeping.write(partial(_record, record), "record.json")

    suspects = order(table, by)[:count] if count else np.empty(0, np.int64)
    if count:
        keeping.write(lambda folder: write(whole[suspects], folder / "suspects.parquet"), "suspects.parquet")
    if count and drawn:
        captions = [
            f"{_short(table['class'][i])}\n→ {_short(table['predicted_without'][i])}\n{table[column_of(by)][i]:.2g}"
            for i in suspects[:SUSPECTS].tolist()
        ]
        title = f"Most suspect of a wrong label: class → predicted without it, {by}"
        keeping.write(partial(_pictures, examples, suspects[:SUSPECTS], captions, title, "suspects"), "suspects.png")
    progress.remove_task(task)
    drawing = out / "histogram.png"
    histogram = drawing.read_bytes() if drawing.exists() else b""
    training = found.training
    return Report(examples, table, training, fit, scores, correlations, grouped, suspects, histogram, record, keeping)


def picturable(examples: Dataset) -> bool:
    """Whether the examples are images of one or three channels."""
    shape = examples.x.shape
    return len(shape) == 4 and shape[-1] in (1, 3) and min(shape[1:3]) > 1


def _fit(table: pl.DataFrame, found: Scored, others: Dataset) -> dict[str, float]:
    if others.y.ndim == 2:
        missed = np.linalg.norm(others.targets - found.others(), axis=1)
        errors = (("error on the examples", table["residual"].to_numpy()), ("error on the others", missed))
        return {name: float(np.sqrt(np.mean(error**2))) for name, error in errors}
    right = classes_of(found.others(), others) == others.y
    return {
        "accuracy on the examples": float((table["predicted"] == table["class"]).to_numpy().mean()),
        "accuracy on each when trained without it": 1 - contradicted(table) / table.height,
        "accuracy on the others": float(right.mean()),
    }


def _digits(found: Scored) -> dict[str, Any]:
    """How right SI and F-SI are: what the page and a reader of record.json are told."""
    scores = found.scores
    return {
        "kernel": "float32" if scores.rounding > 1e-12 else "float64",
        "made anew in float64": found.again,
        "condition": scores.condition,
        "largest relative error": scores.error if np.isfinite(scores.error) else None,
    }


def _record(record: dict[str, Any], out: Path) -> None:
    write_whole(out / "record.json", json.dumps(record, indent=1).encode())


def _histogram(table: pl.DataFrame, name: str, out: Path) -> None:
    import matplotlib.pyplot as plt

    labels = {"si": "SI: change of the weights [nats]", "f_si": "F-SI: change of the predictions [nats]"}
    with style("full", columns=2):
        figure, axes = plt.subplots(1, 2)
        for axis, (column, label) in zip(axes, labels.items(), strict=True):
            axis.hist(table[column].to_numpy(), bins=40)
            # Scores are heavy-tailed: the few informative examples would not be seen on a linear scale.
            axis.set_yscale("log")
            axis.set_ylim(bottom=0.5)
            axis.set_xlabel(label)
        axes[0].set_ylabel(f"examples of {name}", parse_math=False)
    try:
        save(figure, out / "histogram", ".png", ".pdf")
    finally:
        plt.close(figure)


def _short(name: str | None, most: int = 13) -> str:
    """A class's name, as much of it as fits below a small picture."""
    return "" if name is None else name if len(name) <= most else f"{name[: most - 1]}…"


def _pictures(
    examples: Dataset, chosen: Int[np.ndarray, " p"], captions: list[str], title: str, name: str, out: Path
) -> None:
    import matplotlib.pyplot as plt

    figure = contact_sheet(examples.x[chosen], captions, columns=10, title=title)
    try:
        save(figure, out / name, ".png")
    finally:
        plt.close(figure)
