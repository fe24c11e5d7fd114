"""Who computes a config: claims, files on the shared folder that say which process is at it.

    results/EXPERIMENT/.claims/ADDRESS.GENERATION      host, process, and a token that no other claim has

A claim is made by creating its file exclusively, which works on network file systems where locks do not. A thread
touches the file as long as the process lives. A claim is stale once its process is gone, which processes of the same
machine see at once; or, for everybody, once it was not touched during a lease measured by the watcher's own clock, as
those of machines differ. The claim of a stale one is the file of the next generation, created exclusively too, so two
who find it stale cannot both take it over. Whoever finds a generation newer than its own has lost its claim.

Claims save work; results do not rest on them. A result is written whole, and equal whoever computed it, so that two
who compute the same, after one was halted for longer than the lease, do no harm.
"""

import json
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from infojax.errors import InvalidInput
from infojax.json_files import parse_json
from infojax.sweeps import heartbeat
from infojax.sweeps.processes import gone, this_process

LEASE = 120.0  # seconds; network file systems show changes late, after up to a minute


class Look(NamedTuple):
    """A claim's file as it was found. Any difference between two looks is a sign of life."""

    inode: int
    changed: int
    text: bytes


@dataclass(frozen=True)
class Claim:
    """That this process computes what `file` is named after."""

    file: Path
    token: str

    def held(self) -> bool:
        """Whether it is ours still: nobody has found it stale and taken it over."""
        mine = look(self.file)
        newest = _generations(self.file.parent, self.file.stem)[-1:]
        return mine is not None and _holder(mine).get("token") == self.token and newest == [_generation(self.file)]

    def release(self) -> None:
        """Remove the file, if it is ours still."""
        heartbeat.stop(self.file)
        mine = look(self.file)
        if mine is not None and _holder(mine).get("token") == self.token:
            self.file.unlink(missing_ok=True)


@dataclass
class Watch:
    """What a watcher has seen of claims and when, by its own monotonic clock."""

    lease: float = LEASE
    seen: dict[Path, tuple[Look, float]] = field(default_factory=dict)

    def stale(self, file: Path, found: Look) -> bool:
        """Whether nobody stands behind a claim any more."""
        before, since = self.seen.get(file, (None, 0.0))
        now = time.monotonic()
        if found != before:
            self.seen[file] = found, now
            since = now
        return gone(_holder(found)) or now - since > self.lease


def folder(results: Path, experiment: str) -> Path:
    """Where the claims on configs of an experiment lie."""
    return results / experiment / ".claims"


def take(where: Path, address: str, watch: Watch) -> Claim | None:
    """Claim an address; None while another holds it, or was quicker.

    Look into the store after taking a claim: who held it before may have finished.

    Raises:
        InvalidInput: the folder `where` cannot be written to.
    """
    before = _looks(where, address)
    if any(not watch.stale(file, found) for file, found in before.items()):
        return None
    claim = _create(where, address, 1 + max(map(_generation, before), default=0))
    if claim is None:
        return None
    # Stale claims may have been taken over, released and made anew between the looks and the creation. Of two who
    # create at the same time, each creates before it looks again, so that one sees the other, or both do.
    after = _looks(where, address)
    mine = after.pop(claim.file, None)
    if mine is None or any(before.get(file) != found for file, found in after.items()):
        claim.release()
        return None
    for file in before:
        file.unlink(missing_ok=True)
    heartbeat.start(claim.file, claim.token.encode())
    return claim


def holder(where: Path, address: str, watch: Watch) -> dict[str, Any] | None:
    """Who computes an address now: `host`, `pid`, …, empty where the file does not say; None where nobody does."""
    living = [found for file, found in _looks(where, address).items() if not watch.stale(file, found)]
    return _holder(living[-1]) if living else None


def look(file: Path) -> Look | None:
    """A claim's file as it is now; None where there is none."""
    try:
        with open(file, "rb") as stream:
            stat = os.fstat(stream.fileno())
            return Look(stat.st_ino, stat.st_mtime_ns, stream.read())
    except FileNotFoundError:
        return None
    except OSError:  # there, but not for us to read: another's, until the lease has passed
        return Look(0, 0, b"")


def _create(where: Path, address: str, generation: int) -> Claim | None:
    claim = Claim(where / f"{address}.{generation}", secrets.token_hex(8))
    text = json.dumps(this_process() | {"token": claim.token}).encode()
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    try:
        where.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(claim.file, flags, 0o666)
        try:
            os.write(descriptor, text)
        except OSError:
            claim.file.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
    except FileExistsError:
        return None
    except OSError as error:
        raise InvalidInput(f"results cannot be written to {where.parent.parent} ({error}); choose another") from error
    return claim


def _holder(found: Look) -> dict[str, Any]:
    try:
        record = parse_json(found.text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _looks(where: Path, address: str) -> dict[Path, Look]:
    """All claims on an address, the oldest first, as they were at one moment or nearly so."""
    while True:
        files = [where / f"{address}.{generation}" for generation in _generations(where, address)]
        found = [look(file) for file in files]
        if None not in found:  # else one went while we looked, and another may have come
            return {file: seen for file, seen in zip(files, found, strict=True) if seen is not None}


def _generations(where: Path, address: str) -> list[int]:
    try:
        names = [entry.name for entry in os.scandir(where)]
    except OSError:
        return []
    numbers = [name.removeprefix(f"{address}.") for name in names if name.startswith(f"{address}.")]
    return sorted(int(number) for number in numbers if number.isdecimal())


def _generation(file: Path) -> int:
    return int(file.suffix[1:])
