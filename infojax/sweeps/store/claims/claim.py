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

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from infojax.errors import InvalidInput
from infojax.files import NotPlain, parse_json, read_plain
from infojax.sweeps.store.claims import heartbeat
from infojax.sweeps.store.claims.processes import gone, this_process

LIMIT = 10**9  # generations; larger numbers are none of ours
GENERATION = re.compile(r"[1-9][0-9]{0,9}")
TURNS = 50  # looks at claims that come and go
LEASE = 120.0  # seconds; network file systems show changes late, after up to a minute


NOBODY = -1


class Look(NamedTuple):
    """A claim's file as it was found. Any difference between two looks is a sign of life.

    `inode` is NOBODY of what is no file (a folder, a link, a pipe), which nobody stands behind.
    """

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

    def release(self) -> str | None:
        """Remove the file, if it is ours still. Returns a line that says why it could not be, which does no harm."""
        heartbeat.stop(self.file)
        mine = look(self.file)
        if mine is not None and _holder(mine).get("token") == self.token:
            try:
                self.file.unlink(missing_ok=True)
            except OSError as error:
                return f"a claim could not be removed ({error}); it is stale once this process has ended"
        return None


@dataclass
class Watch:
    """What a watcher has seen of claims and when, by its own monotonic clock."""

    lease: float = LEASE
    seen: dict[Path, tuple[Look, float]] = field(default_factory=dict)

    def stale(self, file: Path, found: Look) -> bool:
        """Whether nobody stands behind a claim any more."""
        before, since = self.seen.get(file, (None, 0.0))
        now = time.monotonic()
        if found.inode == NOBODY:
            return True
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
    generation = 1 + max(map(_generation, before), default=0)
    if generation > LIMIT:  # somebody's number, not one that was counted up to: begin anew
        _remove(before)
        return None
    claim = _create(where, address, generation)
    if claim is None:
        return None
    # Stale claims may have been taken over, released and made anew between the looks and the creation. Of two who
    # create at the same time, each creates before it looks again, so that one sees the other, or both do.
    after = _looks(where, address)
    mine = after.pop(claim.file, None)
    if mine is None or any(before.get(file) != found for file, found in after.items()):
        claim.release()
        return None
    _remove(before)
    heartbeat.start(claim.file, claim.token.encode())
    return claim


def holder(where: Path, address: str, watch: Watch) -> dict[str, Any] | None:
    """Who computes an address now: `host`, `pid`, …, empty where the file does not say; None where nobody does."""
    living = [found for file, found in _looks(where, address).items() if not watch.stale(file, found)]
    return _holder(living[-1]) if living else None


def look(file: Path) -> Look | None:
    """A claim's file as it is now; None where there is none."""
    try:
        text, status = read_plain(file)
        return Look(status.st_ino, status.st_mtime_ns, text)
    except FileNotFoundError:
        return None
    except NotPlain:
        return Look(NOBODY, 0, b"")
    except OSError:  # there, but not for us to read: another's, until the lease has passed
        return Look(0, 0, b"")


def _create(where: Path, address: str, generation: int) -> Claim | None:
    claim = Claim(where / f"{address}.{generation}", secrets.token_hex(8))
    text = json.dumps(this_process() | {"token": claim.token}).encode()
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # also where something else has its name
        raise _refusal(where, error) from error
    try:
        descriptor = os.open(claim.file, flags, 0o666)
        try:
            os.write(descriptor, text)
        except OSError:
            _remove([claim.file])
            raise
        finally:
            os.close(descriptor)
    except FileExistsError:
        return None
    except OSError as error:
        raise _refusal(where, error) from error
    return claim


def _refusal(where: Path, error: OSError) -> InvalidInput:
    return InvalidInput(f"results cannot be written to {where.parent.parent} ({error}); choose another")


def _remove(files: Iterable[Path]) -> None:
    """Remove what nobody stands behind; what cannot be removed is stale for the next who looks, too."""
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _holder(found: Look) -> dict[str, Any]:
    try:
        record = parse_json(found.text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _looks(where: Path, address: str) -> dict[Path, Look]:
    """All claims on an address, the oldest first, as they were at one moment or nearly so."""
    found: dict[Path, Look | None] = {}
    for turn in range(TURNS):
        files = [where / f"{address}.{generation}" for generation in _generations(where, address)]
        found = {file: look(file) for file in files}
        if None not in found.values():  # else one went while we looked, and another may have come
            break
        time.sleep(0.001 * turn)
    return {file: seen for file, seen in found.items() if seen is not None}


def _generations(where: Path, address: str) -> list[int]:
    """The numbers of the claims on an address; files with other names, as with leading zeros, are not ours."""
    try:
        names = [entry.name for entry in os.scandir(where)]
    except OSError:
        return []
    numbers = [name.removeprefix(f"{address}.") for name in names if name.startswith(f"{address}.")]
    return sorted(int(number) for number in numbers if GENERATION.fullmatch(number) and int(number) <= LIMIT)


def _generation(file: Path) -> int:
    return int(file.suffix[1:])
