import io

import numpy as np
import pytest
from PIL import Image

from infojax.plots._thumbnail import thumbnails


@pytest.mark.parametrize("channels", [1, 3])
def test_small_images_are_whole(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 7, channels), np.uint8)
    files = thumbnails(pixels / np.float32(255), 7)
    for file, want in zip(files, pixels, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(file))).reshape(5, 7, channels), want)


def test_large_images_are_shrunk_and_normalised_ones_scaled_together():
    images = np.full((2, 60, 30, 1), -2.0, np.float32)
    images[1] = 6.0
    black, white = (Image.open(io.BytesIO(file)) for file in thumbnails(images, 20))
    assert black.size == white.size == (10, 20)
    assert (black.getextrema(), white.getextrema()) == ((0, 0), (255, 255))
