"""Examples whose targets are all the same say nothing of what an example is worth: refused, or said."""

import warnings
from pathlib import Path

import numpy as np

from infojax.data import Dataset, readable
from infojax.errors import DataWarning, InvalidInput


def check_targets(whole: Dataset, examples: Dataset, others: Dataset, asked: str | None) -> None:
    """Refuse examples that all have one target; warn of validation data, and of one target of several, that do.

    Args:
        whole: the data as they were loaded.
        examples: those to score.
        others: those to compare predictions on.
        asked: the classes that were asked for (--classes).

    Raises InvalidInput with the remedy.
    """
    if examples.y.ndim == 2:
        _check_regression(examples, others)
        return
    present = np.unique(examples.y)
    if len(present) == 1:
        name = examples.classes[present[0]]
        if asked is not None and len(examples.classes) == 1:
            remedy = f"Give --classes two or more of {', '.join(whole.classes)[:300]}"
        elif len(np.unique(whole.y)) == 1:
            remedy = (
                "Give data of two or more classes; of a folder of images, the folder whose sub-folders are the classes"
            )
        else:
            remedy = "Score more of them (--train), or draw others (--seed)"
        raise InvalidInput(
            f"all {len(examples):,} examples to score are of one class, {name}: a network learns that constant, and "
            f"no example is worth more than another by its label. {remedy}."
        )
    if len(np.unique(others.y)) == 1:
        _warn(
            f"all {len(others):,} validation examples are of one class, {others.classes[others.y[0]]}, so F-SI and the "
            "accuracy on the others speak of that class alone; take more (--validation), or draw others (--seed)."
        )


def _check_regression(examples: Dataset, others: Dataset) -> None:
    constant = np.flatnonzero(np.ptp(examples.y, axis=0) == 0)
    if len(constant) == examples.y.shape[1]:
        raise InvalidInput(
            f"all {len(examples):,} examples to score have the same target, {examples.y[0].tolist()!s:.200}: there is "
            "nothing to learn but that constant. Give y that varies, or score more of them (--train)."
        )
    if len(constant):
        _warn(
            f"{len(constant)} of {examples.y.shape[1]} targets (column {constant[0]} of y first) are the same for all "
            "examples to score."
        )


def check_out(data: str, out: Path) -> None:
    """Refuse to write among the user's pictures (that folder would be taken for infojax's own from then on), and
    under a name that is no UTF-8 (Parquet's writer does not take it)."""
    if readable(str(out)) != str(out):
        raise InvalidInput(f"--out {readable(str(out))} has bytes that are no UTF-8; give another folder.")
    from infojax.data import LeftOut, is_own_output, pictures_below  # imports Pillow

    folder = Path(data).expanduser().resolve()
    try:
        inside = out.is_dir() and folder.is_dir() and folder in out.resolve().parents
    except (OSError, RuntimeError):  # said where the folder is made
        return
    if inside and not is_own_output(out) and pictures_below(out, LeftOut()):
        raise InvalidInput(f"--out {out} holds pictures of the data; give a folder of its own.")


def _warn(message: str) -> None:
    warnings.warn(message, DataWarning, stacklevel=4)
