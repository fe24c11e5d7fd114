"""`infojax score DATA`: what each example of the user's data is worth to a network."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import jax
import numpy as np
from jaxtyping import Int
from tyro.conf import FlagCreatePairsOff, Positional, arg

from infojax.cli._training_options import TrainingOptions
from infojax.cli.score.files import report
from infojax.cli.score.linearized import SUSPICIONS, check_names, scored
from infojax.cli.score.page import page
from infojax.cli.score.screen import show
from infojax.cli.score.stability import require_stable
from infojax.cli.score.tables import groups_by
from infojax.cli.score.targets import check_out, check_targets
from infojax.cli.score.warnings_given import remembered
from infojax.cli.screen.keeping import make_writable
from infojax.cli.screen.progress import progress_on_terminal
from infojax.data import Dataset, load, readable
from infojax.errors import InvalidInput
from infojax.files import allowing, require_room_to_factor, room, write_whole
from infojax.information import BASELINES
from infojax.linearized import linearize
from infojax.models import cnn, mlp
from infojax.planning import seconds_to_factor

# Without --train, as many examples as keep the kernel at this many rows: seconds of work on a laptop.
COMFORTABLE_ROWS = 2000
SUSPECTS = 20
GIB = 2**30
MOST_BUDGET = 1e9
# In --help: what to give, without "{None}|" before it and "(default: None)" after it.
NAMES, COLUMN, COUNT, NUMBER, SIZE = (
    arg(metavar=kind, help_behavior_hint="") for kind in ("NAME,NAME…", "COLUMN", "INT", "FLOAT", "HEIGHT WIDTH")
)
# What scores of all kinds hold beside what leaving out holds, in float64 kernels.
SCORED = 1.0
REMEDY = "Take fewer with --train and --validation, or fewer --classes, or smaller groups; --budget allows more."
# Rows of a kernel whose eigendecomposition takes so long that the machine is measured to say how long.
LONG = 4000
# For building the kernels, where there is more free than that.
WORKSPACE = 2 * GIB


def score(
    data: Annotated[Positional[str], arg(metavar="DATA")],
    /,
    *,
    classes: Annotated[str | None, NAMES] = None,
    train: Annotated[int | None, COUNT] = None,
    validation: Annotated[int | None, COUNT] = None,
    size: Annotated[tuple[int, int] | None, SIZE] = None,
    background: float = 1.0,
    network: Literal["mlp", "cnn"] = "mlp",
    hidden: int = 1024,
    steps: Annotated[int | None, COUNT] = None,
    learning_rate: Annotated[float | None, NUMBER] = None,
    time: Annotated[float | None, NUMBER] = None,
    converged: FlagCreatePairsOff[bool] = False,
    decay: float = 0.0,
    convention: Literal["mean", "sum"] = "mean",
    seed: int = 0,
    baseline: Annotated[str | None, NAMES] = None,
    group_by: Annotated[str | None, COLUMN] = None,
    suspects: Annotated[int | None, COUNT] = None,
    suspects_by: str = "loo-margin",
    out: Path = Path("scores"),
    budget: Annotated[float | None, NUMBER] = None,
) -> None:
    """Rank the examples of a data set by how much a network learned from each.

    An example's unique information in the weights (SI) and in the predictions (F-SI) is how far the weights,
    or the predictions on validation data, would have moved had it not been there: exact leave-one-out for the
    network linearised at its initialisation.

    Writes report.html, which shows everything below and needs nothing beside it; scores.parquet, histogram.png and
    .pdf, record.json; with --group-by groups.parquet; where there are classes suspects.parquet; and for images
    most_informative.png, least_informative.png and suspects.png.

    Try: infojax score digits --classes 4,9

    Args:
        data: A named set (see `infojax data list`), an .npz file with x and y, or a folder of images.
        classes: Only these classes, by name or number, with commas between: 4,9.
        train: How many examples to score; by default as many as make a kernel of 2000 rows, at most half the
            data.
        validation: How many other examples the predictions are compared on; by default as many as --train.
        size: Height and width to which the images of a folder are resized.
        background: What transparent parts of the images of a folder show, from 0 (black) to 1 (white).
        network: mlp has one hidden layer; cnn is the paper's, for images of at least 28 by 28.
        hidden: Width of the mlp's hidden layer.
        steps: Steps of gradient descent; 2000 by default.
        learning_rate: Step size of gradient descent; by default half the largest at which it is stable, or less where
            it must be stable without a group of half the examples or more.
        time: Train by gradient flow for this time, instead of gradient descent.
        converged: Train to convergence, instead of gradient descent.
        decay: Weight decay towards the initialisation.
        convention: Whether the loss is a mean or a sum over the training examples.
        seed: Of the choice of examples and of the initialisation.
        baseline: Simpler scores beside SI and F-SI, and how they correlate: residual, loo-residual, margin,
            loo-margin, gradient-norm, initial-gradient-norm, self-influence, leverage.
        group_by: Also score groups, each left out as a whole: those of the same class (class), or with the same value
            in a column of the data, such as another array of the .npz, the folder of an image (folder) or another
            column of labels.csv.
        suspects: How many of the examples most suspect of a wrong label to show; 20 by default.
        suspects_by: What makes them suspect: a baseline, si or f-si. The default, loo-margin, is by how much the
            network trained without the example prefers another class. It finds flipped labels better than f-si,
            and better than residual where training has fitted them: 10 % in 200 examples of MNIST with AUC .95, .93
            and .66 (docs/command-line.md).
        out: The folder to write to.
        budget: GiB of memory that may be used; by default what is free.
    """
    options = TrainingOptions(steps, learning_rate, time, converged, decay, convention)
    options.training(1.0)  # numbers that are none are refused before any work is done
    if not 0 <= seed < 2**63:
        raise InvalidInput(f"--seed is {seed}; give a whole number from 0 to 2^63 − 1")
    baselines = tuple(dict.fromkeys(_listed(baseline)))
    check_names(baselines, "--baseline", tuple(BASELINES))
    check_names((suspects_by,), "--suspects-by", SUSPICIONS)
    said: list[str] = []
    with remembered(said):
        whole = load(data, size=size, background=background)
        check_out(data, out)
        examples, others, index = _examples(whole, classes, train, validation, seed)
        check_names(baselines, "--baseline", tuple(BASELINES), examples)
        groups = None if group_by is None else groups_by(examples, group_by)
        suspects = _suspects(suspects, examples)
        check_targets(whole, examples, others, classes)
    outputs = examples.targets.shape[1]
    largest = groups.largest if groups else 1
    workspace = _workspace(len(examples), len(others), outputs, largest, budget)
    make_writable(out)
    model = cnn(outputs) if network == "cnn" else mlp((hidden,), outputs)
    params = model.init(jax.random.key(seed), examples.x.shape[1:])
    asked = {"data": readable(data), "of": len(whole), "classes": classes, "background": background}
    asked |= {"train": len(examples), "validation": len(others)}
    if learning_rate is not None:
        kept = len(examples) - 1 if convention == "mean" else 1
        require_stable(model, params, examples.x, learning_rate, decay, kept=kept, outputs=outputs)
    asked |= {"network": network, "hidden": hidden, "decay": decay, "convention": convention, "seed": seed}
    asked |= {"baseline": baselines, "group_by": group_by, "suspects": suspects, "suspects_by": suspects_by}
    allowed = None if budget is None else budget * GIB
    with remembered(said), allowing(allowed), progress_on_terminal("score") as progress:
        # Lines in a log file say how long it will take, where that is long.
        measured = progress.disable and len(examples) * outputs >= LONG
        first, then = seconds_to_factor(len(examples), len(others), outputs) if measured else (None, None)
        task = progress.add_task("kernels, then an eigendecomposition", total=None, about=first)
        linearized = linearize(model, params, examples, others, budget=workspace, progress=progress)
        found = scored(linearized, options, largest, workspace)
        progress.remove_task(task)
        made = report(examples, others, index, found, groups, asked, said, out, progress, then)
        html = page(made).encode(errors="backslashreplace")
        made.keeping.write(lambda folder: write_whole(folder / "report.html", html), "report.html")
    show(made, out)
    made.keeping.check()


def _listed(names: str | None) -> list[str]:
    return [] if names is None else [name.strip() for name in names.split(",")]


def _suspects(asked: int | None, examples: Dataset) -> int:
    """How many suspects to show; none where there is no other class."""
    if len(examples.classes) < 2 or examples.y.ndim == 2:
        if asked is not None:
            raise InvalidInput(f"--suspects needs labels of two or more classes; {examples.name} has no such labels.")
        return 0
    if asked is None:
        return min(SUSPECTS, len(examples))
    if not 1 <= asked <= len(examples):
        raise InvalidInput(f"--suspects is {asked}; give 1 to {len(examples)}, as many as are scored (--train).")
    return asked


def _examples(
    data: Dataset, classes: str | None, train: int | None, validation: int | None, seed: int
) -> tuple[Dataset, Dataset, Int[np.ndarray, " n"]]:
    """The examples to score, others to compare predictions on, and where the former stand in `data`."""
    # Positions are drawn as the examples are: only and split look at labels and seed, not at inputs.
    positions = dataclasses.replace(data, x=np.zeros((len(data), 1)), columns={"at": np.arange(len(data))})
    if classes is not None:
        names = _listed(classes)
        data, positions = data.only(*names), positions.only(*names)
    if train is None:
        train = max(2, min(COMFORTABLE_ROWS // data.targets.shape[1], len(data) // 2))
    if validation is None:
        validation = max(2, min(train, len(data) - train))
    examples, others = data.split(train, validation, seed=seed)
    index = positions.split(train, validation, seed=seed)[0].columns["at"]
    return examples, others, index


def _workspace(n: int, m: int, outputs: int, largest: int, budget: float | None) -> int:
    """Bytes left for building the kernels, once it is known that all of the work fits into memory."""
    if budget is not None and not 0 < budget <= MOST_BUDGET:
        raise InvalidInput(f"--budget is {budget}; give a positive number of GiB, at most {MOST_BUDGET:g}")
    allowed = None if budget is None else int(budget * GIB)
    rows, others = n * outputs, m * outputs
    built = {"kernel": 4.0 * rows**2, "cross": 4.0 * rows * others}  # networks compute in float32
    group = largest * outputs if largest > 1 else 1
    require_room_to_factor(
        rows, others, **built, group=group, more=SCORED, allowed=allowed, remedy=REMEDY, device=jax.local_devices()[0]
    )
    found = room()
    if allowed is None and found is None:
        return WORKSPACE
    left = (found.free if found and allowed is None else allowed or 0) - int(sum(built.values()))
    # Others take memory meanwhile.
    return left if allowed is not None else min(int(0.9 * left), WORKSPACE)
