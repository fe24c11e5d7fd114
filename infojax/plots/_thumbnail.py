"""Images as small PNG files, to stand in a page."""

import io

import numpy as np
from jaxtyping import Float

from infojax.plots._contact_sheet import within_unit


def smaller(png: bytes, side: int) -> bytes:
    """The picture of a PNG file, shrunk where it is larger than `side` pixels either way, as a PNG file."""
    from PIL import Image

    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        shrunk = image.convert("RGB")
    shrunk.thumbnail((side, side))
    file = io.BytesIO()
    # Few colours are enough at this size, and a page of thirty figures stays small.
    shrunk.quantize(64).save(file, "png", optimize=True)
    return file.getvalue()


def thumbnails(images: Float[np.ndarray, "n h w c"], side: int) -> list[bytes]:
    """Each image as the bytes of a PNG file, shrunk where it is larger than `side` pixels either way.

    One channel is grey, three are colour. Images outside of [0, 1] are scaled together, as in a contact sheet.
    """
    from PIL import Image

    files = []
    for pixels in np.round(within_unit(images) * 255).astype(np.uint8):
        image = Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)
        image.thumbnail((side, side))
        file = io.BytesIO()
        image.save(file, "png", optimize=True)
        files.append(file.getvalue())
    return files
