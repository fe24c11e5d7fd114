"""A picture is opened by the decoder that its suffix promises, and by no other: some decoders start programs.

What a file holds is told from its first bytes, so a file under a wrong name is named as what it is.
"""

import functools
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, features

from infojax.errors import CorruptData, InvalidInput, OverBudget

GRAY = {"1", "L", "LA"}
COLOR = {"P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"}
_SUFFIXES = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "JPEG2000": (".jp2", ".j2k", ".jpx", ".jpf", ".j2c", ".jpc"),
    "AVIF": (".avif",),
}
# Parts that Pillow may have been built without.
_PARTS = {"WEBP": "webp", "JPEG2000": "jpg_2000", "AVIF": "avif"}
# What a file holds by its first bytes. Those that are not in _SUFFIXES are only named.
_SIGNATURES = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8[79]a",
    "BMP": rb"BM.{4}\0\0\0\0",
    "WEBP": rb"RIFF.{4}WEBP",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "PPM": rb"P[1-6][\s#]",
    "JPEG2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "AVIF": rb".{4}ftypavi[fs]",
    "HEIC": rb".{4}ftyp(hei|hev|mif1|msf1)",
    "PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "PDF": rb"%PDF",
    "Photoshop": rb"8BPS",
    "an icon": rb"\0\0[\1\2]\0",
    "SVG": rb"\s*(<\?xml|<svg)",
    "HTML": rb"(?i)\s*<(!doctype )?html",
    "a zip archive": rb"PK\x03\x04",
    "a gzip archive": rb"\x1f\x8b",
    "a resource fork of macOS": rb"\0\x05\x16[\0\x07]",
    "a pointer of Git LFS (git lfs pull brings the picture)": rb"version https://git-lfs",
}
_START = 40


class Misnamed(CorruptData):
    """A file holds a picture of another format than its suffix says."""


@functools.cache
def formats() -> dict[str, str]:
    """Suffix, in lower case, → the format that is read under it.

    >>> formats()[".jfif"]
    'JPEG'
    """
    return {
        suffix: name
        for name, suffixes in _SUFFIXES.items()
        if name not in _PARTS or _has(_PARTS[name])
        for suffix in suffixes
    }


def names_of_formats() -> str:
    """The formats that are read, for messages."""
    return ", ".join(dict.fromkeys(formats().values()))


def format_of(path: Path) -> str | None:
    """The format that a file is opened as; None for one that is not read.

    Its suffix decides, or its first bytes where there is no suffix, or only a number.
    """
    suffix = suffix_of(path)
    if suffix:
        return formats().get(suffix)
    try:
        with path.open("rb") as stream:
            holds = content(stream.read(_START))
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read ({error.strerror}). Change its permissions, or remove it."
        ) from error
    return holds if holds in formats().values() else None


def suffix_of(path: Path) -> str:
    """In lower case; empty where there is none, or only a number (img.001)."""
    suffix = path.suffix.strip().lower()
    return "" if suffix[1:].isdigit() else suffix


def content(start: bytes) -> str | None:
    """What a file holds whose first bytes these are, where they are known.

    >>> content(b"%!PS-Adobe-3.0 EPSF-3.0")
    'PostScript'
    """
    return next((name for name, signature in _SIGNATURES.items() if re.match(signature, start, re.DOTALL)), None)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture, of which only the header is read until its pixels are asked for.

    Raises:
        CorruptData: truncated, or no picture; `Misnamed` where it is one of another format.
        InvalidInput: more than 8 bits a channel, more pixels than are harmless, or a file that may not be read.
        OverBudget: there is no memory for it.
    """
    try:
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("ignore")  # of tags that are damaged, or sizes that are suspect
            promised = format_of(path)
            start = stream.read(_START)
            stream.seek(0)
            _check_content(path, promised, start)
            with Image.open(stream, formats=[promised or ""]) as picture:
                _check_mode(path, picture)
                yield picture
    except (InvalidInput, CorruptData):
        raise
    except Image.DecompressionBombError as error:
        raise InvalidInput(f"{path} has too many pixels ({error!s:.200}). Shrink or remove it.") from error
    except PermissionError as error:
        raise InvalidInput(
            f"{path} cannot be read ({error.strerror}). Change its permissions, or remove it."
        ) from error
    except MemoryError as error:
        raise OverBudget(f"{path} needs more memory than there is. Shrink it, or free memory.") from error
    except Exception as error:  # a damaged picture can raise anything at all in one of Pillow's many decoders
        raise CorruptData(f"{path} is truncated, or no picture ({error!s:.500}). Repair or remove it.") from error


def _has(part: str) -> bool:
    try:
        return bool(features.check(part))
    except ValueError:  # a Pillow that does not know the part yet
        return False


def _check_content(path: Path, promised: str | None, start: bytes) -> None:
    """Raises CorruptData for a file that holds nothing, or what its suffix does not say."""
    holds = content(start)
    if not start:
        raise CorruptData(f"{path} is truncated, or no picture (it is empty). Repair or remove it.")
    if promised is None:
        raise InvalidInput(f"{path} is not read, as its suffix is none of {names_of_formats()}. Convert it.")
    if holds is None or holds == promised:
        return
    if holds in _SUFFIXES:
        name = path.with_suffix(_SUFFIXES[holds][0]).name
        raise Misnamed(f"{path} holds {holds}, and its name says {promised}. Rename it to {name}.")
    raise CorruptData(f"{path} is truncated, or no picture: it holds {holds}. Repair or remove it.")


def _check_mode(path: Path, picture: Image.Image) -> None:
    if picture.mode not in GRAY | COLOR:
        raise InvalidInput(
            f"{path} has pixels of mode {picture.mode}; convert it to 8 bits a channel, or save the numbers of all "
            "pictures in an .npz (x, y)."
        )
