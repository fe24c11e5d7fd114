"""Pixels of pictures as one array: upright, laid on a background where they are transparent, and of one size."""

from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from infojax.data.pictures.opening import GRAY, Misnamed, opened
from infojax.errors import CorruptData, InvalidInput
from infojax.files import check_memory

# Samples of fewer or more than 8 bits in a PNG: Pillow reads them as 8, but leaves the transparent color as it is.
_TRANSPARENT_COLOR = {"L;2": lambda v: v * 85, "L;4": lambda v: v * 17, "RGB;16B": lambda v: v >> 8}


@dataclass
class Changed:
    """Pictures that are not shown as they are: their paths, by what was done to them."""

    frames: list[Path] = field(default_factory=list)
    reduced: list[Path] = field(default_factory=list)
    laid: list[Path] = field(default_factory=list)
    vanished: list[Path] = field(default_factory=list)

    def messages(self, of: int, background: float) -> list[str]:
        """A sentence for each thing that was done to some of the `of` pictures."""
        said = []
        if self.frames:
            said.append(f"{_some(self.frames, of)} several frames or pages; the first of each was taken.")
        if self.reduced:
            said.append(f"{_some(self.reduced, of)} more than 8 bits a channel; the upper 8 were taken.")
        if self.laid:
            shade = {0.0: "black", 1.0: "white"}.get(background, "gray")
            message = (
                f"{_some(self.laid, of)} transparent parts; they were laid on {shade} (background={background:g})."
            )
            if self.vanished:
                message += f" {len(self.vanished):,} show nothing on it, such as {self.vanished[0]}: try another."
            said.append(message)
        return said


@dataclass(frozen=True)
class _Wanted:
    """How pixels are wanted: with one channel or three, of which (height, width), on which background."""

    gray: bool
    size: tuple[int, int] | None
    background: float


def stack(
    paths: list[Path], size: tuple[int, int] | None, background: float
) -> tuple[UInt8[np.ndarray, "n h w c"], Changed]:
    """All pictures in one array, with one channel where all are gray; and what was done to some of them.

    Args:
        paths: of the pictures.
        size: (height, width) to which they are resized; None where all have one size.
        background: 0 (black) to 1 (white), what transparent parts show.

    Raises:
        CorruptData: a file is truncated, no picture, or one of another format than its suffix says.
        InvalidInput: several sizes and no `size`; pictures that show nothing on the background; as `opened`.
        OverBudget: the pixels are more than the memory that is free.
    """
    changed = Changed()
    wanted = _Wanted(_headers(paths, changed), size, background)
    shape = (*size, 1 if wanted.gray else 3) if size is not None else _pixels(paths[0], wanted, Changed()).shape
    check_memory(len(paths) * prod(shape) * (1 + 4), paths[0].parent)  # as bytes, and then in float32
    pixels = np.empty((len(paths), *shape), np.uint8)
    for i, path in enumerate(paths):
        one = _pixels(path, wanted, changed)
        if one.shape != shape:
            raise InvalidInput(
                f"{path} is {one.shape[:2]}, {paths[0]} is {shape[:2]} (height, width): "
                "pictures of several sizes need size=(height, width)."
            )
        pixels[i] = one
    if len(changed.vanished) == len(paths):
        raise InvalidInput(
            f"{paths[0].parent} and the like: all {len(paths):,} pictures have transparent parts, and show nothing on "
            f"background={background:g}. Give another, from 0 (black) to 1 (white)."
        )
    return pixels, changed


def _headers(paths: list[Path], changed: Changed) -> bool:
    """Whether all pictures are gray. Opening reads the header alone, so only one picture at a time is in memory."""
    gray, largest, misnamed = True, 0, []
    for path in paths:
        try:
            with opened(path) as picture:
                gray = gray and picture.mode in GRAY
                largest = max(largest, picture.width * picture.height)
                if picture.format != "MPO" and _animated(picture):  # MPO: a camera's JPEG with previews in it
                    changed.frames.append(path)
                if _deep(picture):
                    changed.reduced.append(path)
        except Misnamed as error:
            misnamed.append(error)
    if misnamed:
        more = f" {len(misnamed) - 1:,} more have such a name." if len(misnamed) > 1 else ""
        raise CorruptData(f"{misnamed[0]}{more}") from misnamed[0]
    check_memory(largest * 12, paths[0].parent)  # the largest, decoded and converted, in up to 4 channels
    return gray


def _pixels(path: Path, wanted: _Wanted, changed: Changed) -> UInt8[np.ndarray, "h w c"]:
    with opened(path) as picture:
        if "transparency" in picture.info:
            picture.info["transparency"] = _transparent_color(picture)
        alpha = _alpha_of_bmp(picture)
        upright = ImageOps.exif_transpose(picture)
        if alpha is not None:
            upright.putalpha(alpha)
        if upright.has_transparency_data:
            upright = _laid(path, upright, wanted.background, changed)
        upright = upright.convert("L" if wanted.gray else "RGB")
    if wanted.size is not None:
        upright = upright.resize((wanted.size[1], wanted.size[0]), Image.Resampling.BILINEAR)
    return np.asarray(upright).reshape(upright.height, upright.width, -1)


def _laid(path: Path, picture: Image.Image, background: float, changed: Changed) -> Image.Image:
    """The picture on the background: α color + (1 − α) background. As it is where α = 1 everywhere."""
    layer = picture.convert("RGBA")
    if layer.getchannel("A").getextrema() == (255, 255):
        picture.info.pop("transparency", None)
        return picture
    changed.laid.append(path)
    shade = round(255 * background)
    laid = Image.new("RGBA", layer.size, (shade, shade, shade, 255))
    laid.alpha_composite(layer)
    pixels = np.asarray(laid)
    if (pixels == pixels[0, 0]).all():
        changed.vanished.append(path)
    return laid


def _alpha_of_bmp(picture: Image.Image) -> Image.Image | None:
    """The fourth bytes of a BMP's pixels, which Pillow drops, and writes as alpha. None where they say nothing, as all
    are 0 or all 255."""
    if picture.format != "BMP" or _raw(picture) != "BGRX" or picture.info.get("compression") != 0:
        return None
    (tile,) = picture.tile  # pyright: ignore[reportAttributeAccessIssue]
    stream, (_, stride, direction) = picture.fp, tile[3]  # pyright: ignore[reportAttributeAccessIssue]
    at = stream.tell()
    stream.seek(tile[2])
    rows = np.frombuffer(stream.read(stride * picture.height), np.uint8)
    stream.seek(at)
    if len(rows) < stride * picture.height:
        return None  # truncated, which Pillow says
    alpha = np.ascontiguousarray(rows.reshape(picture.height, stride)[::direction, 3 : 4 * picture.width : 4])
    return None if alpha.max() == 0 or alpha.min() == 255 else Image.fromarray(alpha)


def _transparent_color(picture: Image.Image) -> object:
    """The color that a PNG calls transparent, in the samples that Pillow makes of its own."""
    color = picture.info["transparency"]
    change = _TRANSPARENT_COLOR.get(_raw(picture))
    if change is None or isinstance(color, bytes):
        return color
    return tuple(map(change, color)) if isinstance(color, tuple) else change(color)


def _deep(picture: Image.Image) -> bool:
    """Whether samples of more than 8 bits are read as 8."""
    tiles = getattr(picture, "tile", None)
    packed = tiles[0][3] if tiles and isinstance(tiles[0][3], tuple) else ()
    largest = packed[1] if picture.format == "PPM" and len(packed) > 1 else 0
    return ";16" in _raw(picture) or (isinstance(largest, int) and largest > 255)


def _raw(picture: Image.Image) -> str:
    """How the file's samples are packed, as Pillow names it ("RGB;16B"); empty where it is not said."""
    tiles = getattr(picture, "tile", None)
    packed = tiles[0][3] if tiles else None
    packed = packed[0] if isinstance(packed, tuple) and packed else packed
    return packed if isinstance(packed, str) else ""


def _animated(picture: Image.Image) -> bool:
    try:
        return bool(getattr(picture, "is_animated", False))
    except Exception:  # a second frame that is damaged is not wanted
        return False


def _some(paths: list[Path], of: int) -> str:
    verb = "has" if len(paths) == 1 else "have"
    return f"{len(paths):,} of {of:,} pictures ({paths[0]}{', …' if len(paths) > 1 else ''}) {verb}"
