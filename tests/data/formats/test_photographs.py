"""Images over photographs: each patch really lies in a photograph, and the image can be read off again."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from infojax.data import Dataset, load, over_photographs
from infojax.errors import InvalidInput


def black(n: int, side: int) -> Dataset:
    return Dataset(x=np.zeros((n, side, side, 1)), y=np.zeros(n, int), classes=("a",))


def test_on_black_there_is_a_piece_of_a_photograph():
    # At 56 pixels nothing is averaged, so each patch must be found in a photograph pixel by pixel.
    patches = np.rint(over_photographs(black(3, 56), seed=1).x * 255).astype(np.uint8)
    for patch in patches:
        found = False
        for photograph in load_sample_images().images:
            corners = np.argwhere((photograph[:-55, :-55] == patch[0, 0]).all(-1))
            found |= any((photograph[a : a + 56, b : b + 56] == patch).all() for a, b in corners)
        assert found


def test_smaller_patches_are_means_of_larger_ones():
    large, small = (over_photographs(black(4, side), seed=2).x for side in (28, 14))
    np.testing.assert_allclose(small, large.reshape(4, 14, 2, 14, 2, 3).mean((2, 4)), atol=1e-6)


def test_images_invert_the_photograph_and_labels_stay():
    digits = load("digits").take(20)
    drawn, patches = over_photographs(digits, seed=3), over_photographs(black(20, 8), seed=3)
    np.testing.assert_allclose(drawn.x, np.abs(patches.x - digits.x))
    np.testing.assert_array_equal(drawn.y, digits.y)
    assert 0 <= drawn.x.min() < drawn.x.max() <= 1
    assert not np.array_equal(drawn.x, over_photographs(digits, seed=4).x)


@pytest.mark.parametrize(
    ("dataset", "seed", "message"),
    [
        (black(2, 9), 0, "divide 56"),
        (Dataset(x=np.zeros((2, 4)), y=[0, 0], classes=("a",)), 0, r"\(4,\)"),
        (black(2, 8).normalised(0.5, 0.5), 0, "from -1 to -1"),
        (black(2, 8), -1, "seed -1"),
        (black(2, 8), None, "seed is None"),
    ],
)
def test_refuses(dataset, seed, message):
    with pytest.raises(InvalidInput, match=message):
        over_photographs(dataset, seed=seed)
