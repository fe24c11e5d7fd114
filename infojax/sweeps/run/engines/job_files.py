"""What jobs of Slurm leave in a folder, read without believing it: outcomes of configs and no other pickled objects.

Jobs themselves load what they are to do from that folder, through submitit. So nobody else may write to it.
"""

import os
import pickle
import stat
from pathlib import Path
from typing import Any

from infojax.errors import InvalidInput
from infojax.sweeps.run.unit import Outcome


def make_private(folder: Path) -> None:
    """Make a folder that its owner alone may write to.

    Raises:
        InvalidInput: it is there, and another's, or others may write to it; or it cannot be made.
    """
    try:
        created = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if created:
            os.chmod(folder, 0o755)  # whatever the umask would let others do
    except OSError as error:
        raise InvalidInput(f"results cannot be written to {folder.parent} ({error}); choose another") from error
    check_private(folder)


def check_private(folder: Path) -> None:
    """Raises InvalidInput for a folder that is another's, or that others may write to."""
    status = os.lstat(folder)
    ours = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    if stat.S_ISDIR(status.st_mode) and ours and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return
    raise InvalidInput(
        f"{folder} must be yours, and nobody else may write to it: whoever does says what jobs of Slurm run. Remove "
        "it, or once what lies there is yours `chmod go-w` it, or choose another folder for results"
    )


def read_outcomes(file: Path) -> tuple[bool, Any]:
    """Whether a job succeeded, and its outcomes; or the text of its error.

    Raises:
        EOFError: the file is torn.
        InvalidInput: it is another's, or holds anything but outcomes, which is not loaded.
    """
    with open(file, "rb") as stream:
        status = os.fstat(stream.fileno())
        if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
            raise InvalidInput(f"{file} is another's; it is not loaded")
        try:
            outcome, result = _Outcomes(stream).load()
            if outcome == "error":
                return False, str(result)
            if outcome == "success" and all(type(each) is Outcome for each in result):
                return True, list(result)
        except EOFError:
            raise
        except Exception as error:  # damaged pickles raise anything
            raise InvalidInput(f"{file} is damaged, or not what a job has written ({error}); remove it") from error
    raise InvalidInput(f"{file} holds something else than outcomes of configs; remove it")


class _Outcomes(pickle.Unpickler):
    """Loads plain values and outcomes; names of other things are not even looked up."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (Outcome.__module__, Outcome.__qualname__):
            return Outcome
        raise pickle.UnpicklingError(f"it names {module}.{name}")
