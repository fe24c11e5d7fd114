"""Partial results that survive an interruption: one file, replaced whole, that knows what it belongs to."""

import hashlib
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from infojax.errors import CorruptData, InvalidInput
from infojax.files._numpy import read_npz
from infojax.files._whole_files import write_whole


class OtherWork(InvalidInput):
    """A checkpoint belongs to other data, parameters or training than those that resume from it."""


def fingerprint(*trees: Any) -> str:
    """A digest of arrays, numbers and strings, and of how they are nested.

    >>> fingerprint({"a": np.ones(2)}) == fingerprint({"a": np.ones(2)}) != fingerprint({"b": np.ones(2)})
    True
    """
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(trees):
        array = np.ascontiguousarray(leaf)
        digest.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def identity(value: Any) -> Any:
    """What a fingerprint can tell of a value: numbers, strings and arrays themselves, functions by their names.

    Dataclasses, and functions with bound arguments, are known by what they hold.

    >>> identity(partial(pow, 2))
    ['pow', [2]]
    """
    if isinstance(value, jax.Array | np.ndarray | np.generic | bool | int | float | str) or value is None:
        return value
    if isinstance(value, partial):
        return [identity(value.func), [identity(leaf) for leaf in jax.tree.leaves((value.args, value.keywords))]]
    if isinstance(value, list | tuple):
        return [identity(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        held = {field.name: identity(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__qualname__} | held
    return getattr(value, "__qualname__", type(value).__name__)


def write(path: Path, mark: str, arrays: dict[str, np.ndarray]) -> None:
    """Replace the file at `path` in one step, so that whoever reads it finds the old or the new one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda stream: np.savez(stream, allow_pickle=False, fingerprint=np.array(mark), **arrays))


def read(path: Path, mark: str) -> dict[str, np.ndarray] | None:
    """What `write` put there; None where there is no file.

    Raises:
        CorruptData: the file was not written by `write`.
        OtherWork: it was, for other inputs (another fingerprint).
    """
    if not path.exists():
        return None
    try:
        arrays = read_npz(path)
        found = str(arrays.pop("fingerprint"))
    except (ValueError, KeyError) as error:
        raise CorruptData(
            f"{path} is no checkpoint of infojax ({type(error).__name__}: {error}); delete it to begin anew, "
            "or give another file."
        ) from error
    if found != mark:
        raise OtherWork(
            f"The checkpoint {path} belongs to other data, parameters or training (fingerprint {found[:8]}, "
            f"now {mark[:8]}). Give the inputs it was made with to go on from it; delete it, or give another "
            "file, to begin anew."
        )
    return arrays
