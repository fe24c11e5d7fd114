"""A training's state in a folder, through Orbax, that knows what it belongs to and whether it is whole."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np

from infojax.errors import CorruptData, InvalidInput
from infojax.files import parse_json, sync_folder, write_whole

_ABOUT = "about.json"


class OrbaxCheckpoint:
    """The newest state of one training: a folder for each step, and a file that says which one is whole.

    Args:
        folder: of this training alone.
        mark: a fingerprint of data and configuration.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        self._folder, self._mark = folder.expanduser().absolute(), mark

    def write(self, step: int, state: Any) -> None:
        """Any pytree of arrays. Whoever reads finds this state, or the one before, whole."""
        import orbax.checkpoint as ocp

        self._folder.mkdir(parents=True, exist_ok=True)
        kept = self._folder / str(step)
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(kept, jax.tree.map(np.asarray, state), force=True)
        about = {"step": step, "mark": self._mark, "digest": _digest(kept)}
        _synced(kept)
        # On the disk, and its name too, before the state that it replaces goes.
        write_whole(self._folder / _ABOUT, json.dumps(about).encode())
        for other in self._folder.iterdir():
            if other.is_dir() and other != kept:
                shutil.rmtree(other, ignore_errors=True)

    def read(self, like: Any) -> tuple[int, Any] | None:
        """Step and state, arrays as in `like`; None where nothing was written yet.

        Raises:
            InvalidInput: written for another mark.
            CorruptData: not what was written.
        """
        import orbax.checkpoint as ocp

        advice = "delete it to begin anew, or give another folder"
        if self._folder.exists() and not self._folder.is_dir():
            raise InvalidInput(f"The checkpoint {self._folder} is a file; {advice}.")
        if not (self._folder / _ABOUT).exists():
            return None
        try:
            about = parse_json((self._folder / _ABOUT).read_bytes())
            step, mark, digest = int(about["step"]), str(about["mark"]), about["digest"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptData(f"The checkpoint {self._folder} cannot be read ({error}); {advice}.") from error
        if mark != self._mark:
            raise InvalidInput(
                f"The checkpoint {self._folder} belongs to other data or another configuration (fingerprint "
                f"{mark[:8]}, now {self._mark[:8]}); give the inputs it was made with, or {advice}."
            )
        # before Orbax reads them, for which damaged files lead to all kinds of errors, some in its own threads
        if _digest(self._folder / str(step)) != digest:
            raise CorruptData(f"The checkpoint {self._folder} is not what was written; {advice}.")
        with ocp.StandardCheckpointer() as checkpointer:
            return step, checkpointer.restore(self._folder / str(step), jax.tree.map(np.asarray, like))


def _synced(folder: Path) -> None:
    """Return once the files in a folder, and their names, are on the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    for path in (*folder.rglob("*"), folder, folder.parent):
        if path.is_dir():
            sync_folder(path)


def _digest(folder: Path) -> str:
    """Of all files in a folder, with their names."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()
