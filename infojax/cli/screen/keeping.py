"""Files of a command, written one by one: where one cannot be written, the others are, and it is said at the end."""

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polars.exceptions import PolarsError

from infojax.errors import InvalidInput, StorageFailed


@dataclass(frozen=True)
class Keeping:
    """The folder of a command's results.

    Attributes:
        out: the folder.
        written: names of the files that were written.
        failed: why others could not be, by name.
        elsewhere: a folder of the system that holds the tables which found no place in `out`; empty if there are none.
    """

    out: Path
    written: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    elsewhere: list[Path] = field(default_factory=list)

    def write(self, writer: Callable[[Path], Any], *names: str) -> None:
        """Call `writer(folder)`, which writes these files there. An error of the disk is noted, not raised; tables then
        go to a folder of the system, another disk perhaps.
        """
        try:
            writer(self.out)
        except Exception as error:
            fault = _of_the_disk(error)
            if fault is None:
                raise
            self._note(fault, writer, names)
        else:
            self.written.extend(name for name in names if name not in self.written)
            for name in names:
                self.failed.pop(name, None)

    def _note(self, error: Exception, writer: Callable[[Path], Any], names: tuple[str, ...]) -> None:
        for name in names:
            self.failed[name] = getattr(error, "strerror", None) or " ".join(str(error).split())
            if name.endswith(".parquet"):
                with contextlib.suppress(OSError, PolarsError):
                    folder = self.elsewhere[0] if self.elsewhere else Path(tempfile.mkdtemp(prefix="infojax-"))
                    writer(folder)
                    self.elsewhere[:] = [folder]

    def check(self) -> None:
        """Raises `StorageFailed` where some file could not be written."""
        if self.failed:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in self.failed.items())
            saved = f" Tables that found no place there are in {self.elsewhere[0]}." if self.elsewhere else ""
            raise StorageFailed(
                f"not everything could be written to {self.out} ({reasons}).{saved} The other files are whole. Make "
                "room, or give another --out, and give the same command again for the rest."
            )


def _of_the_disk(error: BaseException | None) -> Exception | None:
    """The error of the disk that another came of: matplotlib fails once more when it closes a file of its own."""
    while error is not None and not isinstance(error, OSError | PolarsError):
        error = error.__cause__ or error.__context__
    return error


def make_writable(out: Path, asked: Path | None = None) -> None:
    """Make a folder, and see that a file can be written there before any work is done. `asked` is what --out was, where
    that is not the folder. Raises `InvalidInput`.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out) as file:
            file.write(b"some")
            file.flush()
    except OSError as error:
        given = out if asked is None else f"{asked}: {out}"
        raise InvalidInput(f"--out {given} is no folder that can be written to ({error}); give another") from error
