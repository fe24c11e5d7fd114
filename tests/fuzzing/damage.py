"""Ways to damage a file, and what may come of reading it."""

import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from hypothesis import strategies as st

from infojax.errors import DataWarning, InfojaxError

OUTCOMES: Counter[str] = Counter()
EXTREMES = (0, 1, -1, 127, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
WORDS = (b"NaN", b"-1", b"1e999", b"null", b"[]", b"{}", b'"a"', b"9" * 30, b"\0", b"[" * 3000, b"../", b"\xff")


@dataclass(frozen=True)
class Fault:
    """What happens to a file between two places, given as parts of its length."""

    kind: Literal["flip", "truncate", "remove", "repeat", "insert", "move", "overwrite", "replace", "all"]
    places: tuple[float, float]
    payload: bytes

    def __call__(self, data: bytes) -> bytes:
        start, stop = sorted(min(int(place * (len(data) + 1)), len(data)) for place in self.places)
        match self.kind:
            case "flip":
                flipped = bytes(a ^ b for a, b in zip(data[start:], self.payload, strict=False))
                return data[:start] + flipped + data[start + len(flipped) :]
            case "truncate":
                return data[:start]
            case "remove":
                return data[:start] + data[stop:]
            case "repeat":
                return data[:stop] + data[start:]
            case "insert":
                return data[:start] + self.payload + data[start:]
            case "move":
                return data[stop:] + data[start:stop] + data[:start]
            case "overwrite":
                return data[:start] + self.payload + data[start + len(self.payload) :]
            case "replace":
                return data[:start] + self.payload + data[stop:]
            case "all":
                return self.payload


def damaged(data: bytes, faults: Iterable[Fault]) -> bytes:
    for fault in faults:
        data = fault(data)
    return data


_NUMBERS = st.builds(
    lambda number, size, order: (number % 256**size).to_bytes(size, order),
    st.sampled_from(EXTREMES),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from(["little", "big"]),
)
_PLACES = st.tuples(st.floats(0, 1), st.floats(0, 1))
_PAYLOADS = st.sampled_from(WORDS) | _NUMBERS | st.binary(min_size=1, max_size=30)
FAULTS = st.lists(
    st.builds(Fault, st.sampled_from(get_args(get_type_hints(Fault)["kind"])), _PLACES, _PAYLOADS),
    min_size=1,
    max_size=3,
)


def write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def tried(files: Mapping[str, bytes], read: Callable[[Path], Any]) -> Any:
    """What `read` makes of a folder with these files; None where it refuses with a message that names one.

    Fails for any other exception, any warning but a `DataWarning`, and where reading made, changed or removed a file.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve() / "inside" / "folder"
        write(files, folder)
        before = _state(Path(temporary))
        answer = refused_or(lambda: read(folder), str(folder), *files, *(f"{Path(file).stem}: " for file in files))
        assert _state(Path(temporary)) == before, "reading changed the folder"
        return answer


def refused_or(call: Callable[[], Any], *names: str) -> Any:
    """What the call answers; None where it is refused by one of infojax's errors that has one of the names in it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # a damaged table may well name a file twice
            answer = call()
    except InfojaxError as error:
        refusal = error
    else:
        OUTCOMES["answered"] += 1
        return answer
    OUTCOMES[type(refusal).__name__] += 1
    message = str(refusal)
    assert not names or any(name in message for name in names), f"names no file: {message}"
    assert len(message) < 5000, "the message is endless"
    assert "Type-check error" not in message, "a mistake in infojax is taken for one in the file"
    return None


def _state(root: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(root)): p.read_bytes() if p.is_file() else None for p in root.rglob("*")}
