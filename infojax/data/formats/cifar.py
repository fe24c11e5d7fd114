"""CIFAR-10 in the two formats that can be read without running code: PNG rows, and the binary version."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from infojax.errors import CorruptData, DataNotFound
from infojax.files import parse_json

_SHAPE = (32, 32, 3)
_SIZE = 32 * 32 * 3
_BATCHES = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}

Images = UInt8[np.ndarray, "n 32 32 3"]
Labels = UInt8[np.ndarray, " n"]


def read_png_rows(folder: Path, split: str) -> tuple[Images, Labels]:
    """Images from PNGs that hold one image a row (1024 RGB pixels), labels from a JSON list.

    Raises:
        CorruptData: when a file is truncated or has another format.
        DataNotFound: when one is missing.
    """
    images = [_png_rows(folder / f"{batch}.png") for batch in _BATCHES[split]]
    path = folder / f"{split}_lables.json"  # spelled so in the package
    try:
        labels = np.array(parse_json(_bytes(path)), np.uint8)
    except (ValueError, TypeError, OverflowError) as error:
        raise CorruptData(f"{path} is no JSON list of labels 0 to 255 ({error}); fetch it again.") from error
    x = np.concatenate(images)
    if labels.shape != (len(x),):
        raise CorruptData(f"{path} has labels of shape {labels.shape} for {len(x)} images; fetch it again.")
    return x, labels


def _png_rows(path: Path) -> Images:
    from PIL import Image

    if not path.is_file():
        raise DataNotFound(f"{path} is missing")
    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
    except Exception as error:  # of Pillow, whose decoders can raise anything
        raise CorruptData(f"{path} is truncated, or no PNG ({error}); fetch it again.") from error
    if image.mode != "RGB" or image.width != _SIZE // 3:
        raise CorruptData(f"{path} is a {image.mode} picture {image.width} wide; expected RGB, 1024 wide.")
    return np.asarray(image).reshape(-1, *_SHAPE)


def read_binary(folder: Path, split: str) -> tuple[Images, Labels]:
    """The binary version, cifar-10-batches-bin: records of a label byte, then 32 × 32 of red, green, blue.

    Raises:
        CorruptData: when a file does not consist of whole records.
        DataNotFound: when one is missing.
    """
    records = []
    for batch in _BATCHES[split]:
        data = _bytes(folder / f"{batch}.bin")
        if len(data) == 0 or len(data) % (1 + _SIZE):
            raise CorruptData(
                f"{folder / batch}.bin has {len(data)} bytes, no multiple of {1 + _SIZE}: it is truncated; "
                "unpack its archive again."
            )
        records.append(np.frombuffer(data, np.uint8).reshape(-1, 1 + _SIZE))
    whole = np.concatenate(records)
    images = whole[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), whole[:, 0].copy()


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise DataNotFound(f"{path} is missing")
    return path.read_bytes()
