"""Which tile of which kernel each file is, as the checksum in a tile's file is of its content alone.

    places/WRITER        a line for each tile that one process has written:  c/ROW/COLUMN CHECKSUM SEAL

CHECKSUM is the crc32c in the file of the tile, and SEAL a digest of both and of the kernel's metadata. So a tile that
stands in another's place, or comes from another kernel, is not what the line of its place says; and lines that are
torn, or another kernel's, don't count. A tile that is computed again may have other last digits: all lines of a place
count. Every process writes to a file of its own, each line after its tile; a tile without one was not finished.
"""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = "places"
CHECKSUM = 4  # bytes of a crc32c
Tile = tuple[int, int]


@dataclass
class Places:
    """What is known of the tiles of one kernel.

    Attributes:
        folder: of the kernel.
        kernel: a digest of its metadata.
        tile_bytes: size of a tile's file, where nothing is compressed.
        known: the checksums that the tile of each place may have.
    """

    folder: Path
    kernel: str
    tile_bytes: int | None
    known: dict[Tile, set[bytes]] = field(default_factory=dict)
    _read: dict[str, int] = field(default_factory=dict)
    _own: str = field(default_factory=lambda: secrets.token_hex(8))

    def refresh(self) -> None:
        """Read what processes have written since the last look."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for entry in os.scandir(self.folder / FOLDER):
                if entry.is_file(follow_symlinks=False):
                    self._read_lines(entry)

    def misplaced(self, tiles: Iterable[Tile]) -> dict[Tile, str]:
        """Which of the tiles, whose files are there, are not those of their places, and what they are."""
        found = {tile: self._checksum(tile) for tile in tiles}
        wrong = [tile for tile, checksum in found.items() if not self._is(tile, checksum)]
        if wrong:
            self.refresh()  # another process may have written them
        return {tile: self._other(found[tile]) for tile in wrong if not self._is(tile, found[tile])}

    def note(self, tiles: Iterable[Tile]) -> None:
        """Say of tiles that this process has just written that they stand in their places."""
        lines = []
        for tile in tiles:
            checksum = self._checksum(tile)
            if checksum is not None and checksum not in self.known.get(tile, ()):
                self.known.setdefault(tile, set()).add(checksum)
                lines.append(f"{_line(tile, checksum)} {self._seal(_line(tile, checksum))}\n")
        if not lines:
            return
        (self.folder / FOLDER).mkdir(exist_ok=True)
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
        descriptor = os.open(self.folder / FOLDER / self._own, flags, 0o666)
        try:
            os.write(descriptor, "".join(lines).encode())
        finally:
            os.close(descriptor)

    def sync(self) -> None:
        """Return when what `note` has written is on the disk."""
        with contextlib.suppress(FileNotFoundError), open(self.folder / FOLDER / self._own, "rb") as stream:
            os.fsync(stream.fileno())

    def _read_lines(self, entry: os.DirEntry[str]) -> None:
        start = self._read.get(entry.name, 0)
        if entry.stat().st_size <= start:
            return
        with open(entry.path, "rb") as stream:
            stream.seek(start)
            whole, newline, _ = stream.read().rpartition(b"\n")
        self._read[entry.name] = start + len(whole) + len(newline)
        for text in whole.decode(errors="replace").split("\n"):
            line, _, seal = text.rpartition(" ")
            if seal == self._seal(line):
                name, _, checksum = line.partition(" ")
                _, row, column = name.split("/")
                self.known.setdefault((int(row), int(column)), set()).add(bytes.fromhex(checksum))

    def _is(self, tile: Tile, checksum: bytes | None) -> bool:
        # A file that is gone is missing, which is another fault.
        return checksum is None or checksum in self.known.get(tile, ())

    def _other(self, checksum: bytes | None) -> str:
        """Words for a file with a checksum that its place must not have."""
        if not self.known:
            return f"what says which tile is which, the folder {FOLDER!r}, is not there: copy it with the others"
        for (row, column), those in self.known.items():
            if checksum in those:
                return f"it is the tile c/{row}/{column} of this kernel"
        return "it is no tile of this kernel, or damaged"

    def _checksum(self, tile: Tile) -> bytes | None:
        """The last bytes of a tile's file, as its codec has written them; None where there is no file."""
        try:
            with open(self.folder / "c" / str(tile[0]) / str(tile[1]), "rb") as stream:
                size = os.fstat(stream.fileno()).st_size if self.tile_bytes is None else self.tile_bytes
                stream.seek(max(size - CHECKSUM, 0))
                return stream.read(CHECKSUM)
        except FileNotFoundError:
            return None
        except OSError:
            return b""

    def _seal(self, line: str) -> str:
        return hashlib.sha256(f"{self.kernel} {line}".encode(errors="replace")).hexdigest()[:16]


def _line(tile: Tile, checksum: bytes) -> str:
    return f"c/{tile[0]}/{tile[1]} {checksum.hex()}"
