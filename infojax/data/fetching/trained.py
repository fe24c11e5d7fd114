"""Weights that infojax trains itself, once for a machine: kept beside the data, with a record of the recipe."""

import os
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infojax.data.fetching.checksums import MANIFEST
from infojax.data.fetching.searching import cache_folder, folders
from infojax.data.fetching.weights import Arrays, read_weights, write_weights
from infojax.files import parse_json, read_steadily, replace_folder


def storing_folder() -> Path:
    """Where `store` and `fetch` put things; made if it is not there."""
    base = Path(os.environ.get("INFOJAX_DATA") or cache_folder()).expanduser()
    base.mkdir(parents=True, exist_ok=True)
    return base


def stored(name: str, recipe: Any) -> Arrays | None:
    """The weights of that name that were made by this very recipe; None where there are none.

    Raises:
        CorruptData: when they are there, but damaged.
    """

    def found(folder: Path) -> Arrays | None:
        return read_weights(folder) if _recipe(folder) == recipe else None

    each = (read_steadily(folder / name, partial(found, folder / name)) for folder in folders())
    return next((arrays for arrays in each if arrays is not None), None)


def store(name: str, arrays: Arrays, record: dict[str, Any]) -> None:
    """Into `storing_folder`, whole or not at all. `record` holds the "recipe" that `stored` asks for."""
    base = storing_folder()
    with TemporaryDirectory(dir=base, prefix=f".{name}-", suffix=".part", ignore_cleanup_errors=True) as temporary:
        staged, destination = Path(temporary) / name, base / name
        staged.mkdir()
        write_weights(staged, arrays, record)
        replace_folder(staged, destination, Path(temporary) / "replaced")


def _recipe(folder: Path) -> Any:
    try:
        return parse_json((folder / MANIFEST).read_bytes())["recipe"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
