"""The report of `infojax score` as one HTML page: what was trained, the extremes, and all examples, to sort."""

from html import escape
from importlib.resources import files
from pathlib import PurePath
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int

from infojax.cli.score.files import PICTURES, SUSPECTS, Report, picturable
from infojax.cli.score.tables import column_of, contradicted, order
from infojax.linearized import Converged, GradientDescent, Training
from infojax.plots import SCRIPT, Column, document, paragraphs, picture, record, sortable, table, thumbnails

# Some six megabytes at most: rows of the table of all examples, how many of them get pictures, and how large.
ROWS, THUMBNAILS, SIDE = 10_000, 2000, 28
SHEET_SIDE = 64
HEADS = {"si": "SI", "f_si": "F-SI", "f-si": "F-SI", "predicted_without": "predicted without it"}
WHAT = (
    "F-SI, functional sample information, says how far the predictions on other examples would have moved had this "
    "example not been there; SI says it of the weights. Both are in nats and exact for the network linearised at its "
    "initialisation."
)
DOUBT = (
    "Most suspect first, by {by}. The class given stands before the arrow; behind it what the network says when it is "
    "trained without the example, which for {wrong:,} of the {n:,} examples is another class. Look before you relabel "
    "or remove: rare, honest examples are here too."
)
GROUPS = (
    "F-SI and SI when the whole group is left out. Redundancy is the group’s F-SI over the sum of its examples’: 1 "
    "where they teach different things, larger where each is hardly missed because others teach the same, below 1 "
    "where they pull against each other."
)


def page(report: Report) -> str:
    """The HTML of the report; pictures and script are in it, nothing is loaded from elsewhere."""
    name = report.examples.name
    title = f"What each example of {name} is worth"
    most = order(report.table, "f-si")
    sections = [("distribution", "Distribution", _figure(report))]
    if picturable(report.examples):
        sections += [
            ("most", "The most informative", _sheet(report, most[:PICTURES])),
            ("least", "The least informative", _sheet(report, most[::-1][:PICTURES])),
        ]
    if len(report.suspects):
        sections.append(("suspects", "Suspected wrong labels", _suspects(report)))
    if report.groups is not None:
        by = report.record["asked"]["group_by"]
        sections.append(("groups", f"Groups, by {by}", _groups(report.groups)))
    sections.append(("scores", "Beside simpler scores", _correlations(report.correlations)))
    sections.append(("examples", "All examples", _examples(report, most)))
    links = "".join(f'<li><a href="#{anchor}">{escape(head)}</a></li>' for anchor, head, _ in sections)
    body = (
        f"<header>\n<h1>{escape(title)}</h1>\n{paragraphs(WHAT)}{_summary(report)}</header>\n"
        f'<nav aria-label="Sections">\n<ul class="line">{links}</ul>\n</nav>\n<main>\n'
        + "".join(
            f'<section id="{anchor}" aria-labelledby="{anchor}-title">\n'
            f'<h2 id="{anchor}-title">{escape(head)}</h2>\n{html}</section>\n'
            for anchor, head, html in sections
        )
        + record("Record: versions, device, and what was asked", report.record)
        + "</main>\n"
    )
    style = files("infojax.cli.score").joinpath("page.css").read_text("utf-8")
    return document(title, body, style=style, script=SCRIPT)


def _summary(report: Report) -> str:
    examples, asked, versions = report.examples, report.record["asked"], report.record["versions"]
    hidden = f"mlp, one hidden layer of {asked['hidden']:,}" if asked["network"] == "mlp" else asked["network"]
    values = np.sort(report.table["f_si"].to_numpy())[::-1]
    tenth = values[: -(-len(values) // 10)].sum() / max(values.sum(), np.finfo(float).tiny)
    told = {
        "Data": f"{asked['train']:,} of {asked['of']:,} examples of {examples.name}, each "
        f"{' × '.join(map(str, examples.x.shape[1:]))}; predictions compared on {asked['validation']:,} others",
        "Classes": _classes(report),
        "Network": f"{hidden}, {examples.targets.shape[1]} outputs, linearised at its initialisation",
        "Training": f"{_training(report.training)}; decay {asked['decay']:g}; {asked['convention']} of the losses",
        "Fit": "; ".join(f"{name} {value:.3g}" for name, value in report.fit.items()),
        "F-SI": f"the most informative tenth of the examples holds {tenth:.0%} of the sum",
        "Digits": _digits(report.record["digits"]),
        "Made": f"{report.record['written']}, infojax {versions['infojax']}, jax {versions['jax']}, "
        f"{report.record['device']}",
    }
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>\n" for name, text in told.items() if text
    )
    return f"<dl>\n{rows}</dl>\n"


def _digits(found: dict[str, Any]) -> str:
    error = found["largest relative error"]
    lost = error is None or error >= 1
    right = "some scores have no right digit" if lost else f"SI and F-SI are right to {error:.1g} of themselves"
    kernel = f"{right}; kernels in {found['kernel']}, condition number {found['condition']:.2g}"
    again = ", made anew because float32 left too few digits" if found["made anew in float64"] else ""
    return kernel + again


def _classes(report: Report, most: int = 20) -> str:
    counts = report.table["class"].drop_nulls().value_counts(sort=True)
    told = ", ".join(f"{name} ({count})" for name, count in counts.head(most).iter_rows())
    return told + (f" and {counts.height - most} more" if counts.height > most else "")


def _training(training: Training) -> str:
    if isinstance(training, GradientDescent):
        return f"gradient descent, {training.steps:,} steps of {training.learning_rate:.4g}"
    if isinstance(training, Converged):
        return "to convergence"
    return f"gradient flow for a time of {training.time:g}"


def _figure(report: Report) -> str:
    values = report.table["f_si"]
    alt = f"Histograms of SI and F-SI. F-SI lies between {values.min():.3g} and {values.max():.3g} nats."
    if not report.histogram:  # the disk was full
        return ""
    return f'<figure tabindex="0">{picture(report.histogram, alt)}</figure>\n'


def _sheet(report: Report, rows: Int[np.ndarray, " p"], by: str = "f-si", *, doubted: bool = False) -> str:
    """Pictures over the class, of doubted ones also what is predicted instead, the score, and which example it is."""
    items = []
    own = report.examples.columns
    chosen = report.table[rows]
    images = thumbnails(report.examples.x[rows], SHEET_SIDE)
    for row, image in zip(chosen.iter_rows(named=True), images, strict=True):
        words = escape(row["class"] or "")
        if doubted:
            words += f" → {escape(row['predicted_without'])}"
        drawn = picture(image, f"example {row['index']}")
        number = f"{row[column_of(by)]:.3g}" if doubted else f"F-SI {row[column_of(by)]:.3g}"
        where = escape(PurePath(str(row["file"])).name if "file" in own else f"no. {row['index']}")
        items.append(f"<li>{drawn}<b>{words}</b><span>{escape(number)}</span><span>{where}</span></li>\n")
    return f'<ol class="sheet">\n{"".join(items)}</ol>\n'


def _suspects(report: Report) -> str:
    by = report.record["asked"]["suspects_by"]
    wrong = contradicted(report.table)
    text = paragraphs(DOUBT.format(by=HEADS.get(by, by), wrong=wrong, n=report.table.height))
    chosen = report.suspects[:SUSPECTS]
    if len(chosen) < len(report.suspects):
        text += paragraphs(f"These are the first {SUSPECTS}; suspects.parquet has all {len(report.suspects):,}.")
    if picturable(report.examples):
        return text + _sheet(report, chosen, by, doubted=True)
    own = ["file"] if "file" in report.examples.columns else []
    names = dict.fromkeys(["index", *own, "class", "predicted_without", column_of(by), "f_si"])
    shown = report.table[chosen].select(list(names))
    heads = {column_of(by): by} | HEADS
    return text + table(shown.rename({name: heads.get(name, name) for name in names}), "Suspects")


def _groups(groups: pl.DataFrame) -> str:
    heads = {"f_si_per_example": "F-SI per example", "sum_of_single_f_si": "sum of single F-SI"}
    columns = [
        Column(heads.get(name, HEADS.get(name, name)), groups[name].to_list(), groups[name].dtype.is_numeric())
        for name in groups.columns
    ]
    return paragraphs(GROUPS) + sortable(columns, f"{groups.height} groups", order=("F-SI", "descending"))


def _correlations(correlations: pl.DataFrame) -> str:
    shown = correlations.rename({"spearman": "Spearman’s rank correlation with F-SI"})
    return table(shown.with_columns(pl.col("score").replace(HEADS)), "Over the examples")


def _examples(report: Report, most: Int[np.ndarray, " n"]) -> str:
    shown = report.table[most[:ROWS]]
    words = ["class", "predicted", "predicted_without"] if report.examples.classes else []
    group = report.record["asked"]["group_by"]
    own = [name for name in ("file", group) if name in report.examples.columns and name != "class"]
    own = [_own(name, report) for name in dict.fromkeys(own)]
    numbers = ["f_si", *dict.fromkeys(["si", *map(column_of, report.scores), "residual"])]
    columns = [Column("rank", shown["rank"].to_list(), True)]
    if picturable(report.examples) and len(most) <= THUMBNAILS:
        images = thumbnails(report.examples.x[most], SIDE)
        columns.append(Column("image", [picture(image, "") for image in images], html=True))
    columns.append(Column("index", shown["index"].to_list(), True))
    for name in (*words, *numbers, *own):
        head = HEADS.get(name, name.replace("_", "-") if name in numbers else name)
        columns.append(Column(head, shown[name].to_list(), shown[name].dtype.is_numeric()))
    all_of_them = (
        f"All {len(most):,} examples" if len(most) <= ROWS else f"The first {ROWS:,} of {len(most):,} examples"
    )
    caption = f"{all_of_them} by rank; scores.parquet has all. A click on a column’s name sorts by it."
    return sortable(columns, caption, order=("rank", "ascending"))


def _own(name: str, report: Report) -> Any:
    while name not in report.table.columns[-len(report.examples.columns) :]:
        name = f"own_{name}"
    return name
