"""Where the named sets lie on this machine: what `fetch` stored, and what other tools left.

Searched in this order: the folder given as `root`, $INFOJAX_DATA, infojax's cache folder, ./data, ~/data,
Keras's cache ($KERAS_HOME or ~/.keras, datasets/), /usr/share/datasets. In each of them: what
`infojax data fetch` stored (NAME/manifest.json beside the arrays), then torchvision's and Keras's layouts.
Every copy is held against the same pinned checksums, so it does not matter which one is found.
"""

import os
import sys
from functools import partial
from pathlib import Path

import numpy as np

from infojax.data.fetching.checksums import MANIFEST, check
from infojax.data.fetching.registry import NamedSet, Reader, named
from infojax.data.fetching.weights import NamedWeights, read_weights
from infojax.errors import CorruptData, DataNotFound
from infojax.files import parse_json, read_npy, read_steadily

Arrays = tuple[np.ndarray, np.ndarray]


def cache_folder() -> Path:
    """Where `fetch` stores unless told otherwise: the platform's cache folder, infojax/data."""
    if sys.platform == "darwin":
        base = Path("~/Library/Caches")
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", "~/AppData/Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return base.expanduser() / "infojax" / "data"


def folders(root: Path | None = None) -> list[Path]:
    """The folders that are searched, in order."""
    given = [root] if root is not None else []
    if os.environ.get("INFOJAX_DATA"):
        given.append(Path(os.environ["INFOJAX_DATA"]))
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets"
    system = Path("/usr/share/datasets")
    return [p.expanduser() for p in (*given, cache_folder(), Path.cwd() / "data", Path("~/data"), keras, system)]


def where(name: str, root: Path | None = None) -> Path | None:
    """The folder or file from which a named set or named weights would be read, after checking it; None when missing.

    Raises:
        CorruptData: when a copy is there that is not what its pinned checksum says.
        InvalidInput: for a name that is none.

    >>> print(where("digits"))  # embedded: no file
    None
    """
    entry = named(name)
    if entry.package is None:
        return None
    try:
        if isinstance(entry, NamedWeights):
            return search_weights(entry, root)[0]
        return search(entry, "train", root)[0]
    except DataNotFound:
        return None


def search(entry: NamedSet, split: str, root: Path | None = None) -> tuple[Path, Arrays]:
    """The first copy of a named set: where it lies, its uint8 images (n, h, w, c) and labels (n,).

    Raises:
        CorruptData: when the first copy found is truncated or has another checksum.
        DataNotFound: when there is none; says where it was looked for and the command that brings it.
    """
    notes = []
    for folder in folders(root):
        for relative, read in ((entry.name, read_stored), *entry.copies):
            path = folder / relative
            if not path.exists():
                continue
            try:
                return path, read_steadily(path, partial(read_checked, entry, split, path, read))
            except DataNotFound as incomplete:
                notes.append(f"Not complete: {incomplete}.")
        notes += [
            f"{folder / relative} holds Python pickles, which can run any code when loaded: not read. "
            "The binary version, unpacked beside it as cifar-10-batches-bin, would be."
            for relative in entry.pickled
            if (folder / relative).exists()
        ]
    looked = "\n  ".join(str(folder) for folder in folders(root))
    notes.insert(0, f"The data set {entry.name} is not on this machine. Looked in:\n  {looked}")
    notes.append(f"To bring it: infojax data fetch {entry.name}. To use a copy elsewhere, set INFOJAX_DATA.")
    raise DataNotFound("\n".join(notes))


def search_weights(entry: NamedWeights, root: Path | None = None) -> tuple[Path, dict[str, np.ndarray]]:
    """The first copy of named weights that `fetch` stored: where it lies, and its arrays.

    Raises:
        CorruptData: when the first copy found is damaged or has another checksum.
        DataNotFound: when there is none.
    """
    for folder in folders(root):
        try:
            path = folder / entry.name
            return path, read_steadily(path, partial(read_weights, path, entry.pin))
        except DataNotFound:
            continue
    looked = "\n  ".join(str(folder) for folder in folders(root))
    raise DataNotFound(
        f"The weights {entry.name} are not on this machine. Looked in:\n  {looked}\n"
        f"To bring them: infojax data fetch {entry.name}."
    )


def read_stored(folder: Path, split: str) -> Arrays:
    """What `fetch` stored: NAME/train-images.npy and so on, complete once manifest.json is there."""
    if not (folder / MANIFEST).is_file():
        raise DataNotFound(f"{folder} has no {MANIFEST}")
    try:
        parse_json((folder / MANIFEST).read_bytes())
        images, labels = (read_npy(folder / f"{split}-{part}.npy") for part in ("images", "labels"))
    except (OSError, ValueError) as error:
        raise CorruptData(f"{folder} is damaged ({error}). Repair it: infojax data fetch {folder.name}") from error
    return images, labels


def read_checked(entry: NamedSet, split: str, path: Path, read: Reader) -> Arrays:
    """What `read` finds at `path`, images with a channel axis, once both arrays match their pinned checksums.

    Raises:
        CorruptData: when the content is damaged, or not what is pinned.
        DataNotFound: when a file is missing.
    """
    images, labels = read(path, split)
    remedy = f"Delete it, or move it away, and run: infojax data fetch {entry.name}"
    for array, pinned, part in zip((images, labels), entry.pins[split], ("images", "labels"), strict=True):
        check(array, pinned, f"{path} ({split} {part})", remedy)
    return images if images.ndim == 4 else images[..., None], labels
