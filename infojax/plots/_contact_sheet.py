"""A grid of images with captions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from infojax.errors import InvalidInput
from infojax.plots._style import style


def contact_sheet(
    images: Float[np.ndarray, "n h w c"], captions: Sequence[str], *, columns: int = 5, title: str = ""
) -> Any:
    """Draw images, each over its caption, row by row; returns the matplotlib figure.

    One channel is drawn in grey, three in colour. Images within [0, 1] are drawn as they are; others
    (normalised ones) are scaled together, smallest value black, largest white. Raises InvalidInput for no
    images, other channel counts or as many captions as there are not images.
    """
    n, _, _, channels = images.shape
    if n == 0 or channels not in (1, 3) or len(captions) != n:
        raise InvalidInput(
            f"a contact sheet takes images (n, h, w, 1 or 3) with n ≥ 1 captions; given {images.shape} and "
            f"{len(captions)} captions"
        )
    import matplotlib.pyplot as plt

    images = within_unit(images)
    rows = -(-n // columns)
    with style("full", rows=rows, columns=columns, height_to_width=1.25):
        figure, axes = plt.subplots(rows, columns, squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for axis, image, caption in zip(axes.flat, images, captions, strict=False):
            axis.imshow(image.squeeze(-1) if channels == 1 else image, cmap="gray", vmin=0.0, vmax=1.0)
            # Below the picture, as axes without ticks have no x label; a class may be called $.
            axis.text(
                0.5, -0.04, caption, transform=axis.transAxes, ha="center", va="top", fontsize=6, parse_math=False
            )
        if title:
            figure.suptitle(title, fontsize=8)
    return figure


def within_unit(images: Float[np.ndarray, "n h w c"]) -> Float[np.ndarray, "n h w c"]:
    """Images as they are where all values lie in [0, 1]; otherwise scaled together, smallest to 0, largest to 1."""
    low, high = (float(images.min()), float(images.max()))
    if low >= 0 and high <= 1:
        return images
    return (images - low) / max(high - low, np.finfo(np.float32).tiny)
