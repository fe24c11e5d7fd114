"""Additions on disk: a file for each, with the state of the trainer just before."""

from jaxtyping import Array, PyTree

from infojax.rounds._history import Addition, Examples, Moment
from infojax.rounds._plan import Patience
from infojax.rounds._run_store import RunStore, from_leaves, leaves


def name_of(number: int) -> str:
    """Of the file that keeps an addition; a source may keep parts of it under names that begin so, with a hyphen."""
    return f"addition-{number:04d}"


def keep_addition(store: RunStore, number: int, addition: Addition) -> None:
    """Put an addition on disk, and let go of the parts that its source kept."""
    (x, y, entropy, report), before = addition
    arrays = {"x": x, "y": y, "entropy": entropy, "evaluations": before.evaluations, "examples": before.examples}
    arrays |= before.patience._asdict() | {f"report {name}": value for name, value in report.items()}
    store.write(name_of(number), arrays | leaves(before.state))
    store.remove(f"{name_of(number)}-*")


def read_addition(store: RunStore, number: int, like: PyTree[Array]) -> Addition | None:
    """An addition that is on disk, with a state of the structure of `like`; None where it is not."""
    saved = store.read(name_of(number))
    if saved is None:
        return None
    report = {name.removeprefix("report "): value.item() for name, value in saved.items() if name.startswith("report ")}
    patience = Patience(int(saved["waited"]), float(saved["best"]))
    before = Moment(from_leaves(saved, like), patience, int(saved["evaluations"]), int(saved["examples"]))
    return Addition(Examples(saved["x"], saved["y"], saved["entropy"], report), before)
