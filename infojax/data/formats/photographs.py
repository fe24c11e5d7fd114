"""Images drawn over photographs: the same classes, as a second source with much more variety.

    x' = |p − x|,   p a random patch of a photograph, for each color

(MNIST-M of Ganin and Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", 2015; their photographs are
BSDS500, ours the two that come with scikit-learn.)
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float32

from infojax.arrays import seed_of
from infojax.data._dataset import Dataset
from infojax.errors import InvalidInput

# Pixels of a photograph along a patch, which is shrunk to the size of an image.
PATCH = 56


def over_photographs(dataset: Dataset, *, seed: Any) -> Dataset:
    """The set with each image drawn over its own random patch of a photograph; labels stay.

    Args:
        dataset: images (n, h, w, 1) or (n, h, w, 3) in [0, 1], where h and w divide 56, as 8, 14 and 28 do.
        seed: of the patches.

    Returns:
        Images (n, h, w, 3) in [0, 1].

    Raises:
        InvalidInput: images of another shape, values outside [0, 1], a negative seed.

    >>> from infojax.data import load
    >>> over_photographs(load("digits"), seed=0).x.shape
    (1797, 8, 8, 3)
    """
    shape = dataset.x.shape[1:]
    if len(shape) != 3 or shape[2] not in (1, 3) or PATCH % shape[0] or PATCH % shape[1]:
        raise InvalidInput(
            f"over_photographs: examples of {dataset.name} have shape {shape}; it takes (h, w, 1) or (h, w, 3) where h "
            f"and w divide {PATCH}, for instance 8, 14 or 28."
        )
    if dataset.x.min() < 0 or dataset.x.max() > 1:
        raise InvalidInput(
            f"over_photographs: {dataset.name} has values from {dataset.x.min():g} to {dataset.x.max():g}; it takes "
            "pixels in [0, 1]. Normalize afterwards."
        )
    patches = _patches(len(dataset), shape[0], shape[1], seed_of("over_photographs", seed))
    return replace(dataset, x=np.abs(patches - dataset.x), name=f"{dataset.name} over photographs")


def _patches(n: int, height: int, width: int, seed: int) -> Float32[np.ndarray, "n h w 3"]:
    from sklearn.datasets import load_sample_images

    random = np.random.default_rng(seed)
    photographs = np.stack(load_sample_images().images)
    tops, lefts = (random.integers(0, side - PATCH + 1, n) for side in photographs.shape[1:3])
    which = random.integers(0, len(photographs), n)
    along = np.arange(PATCH)
    rows, columns = tops[:, None] + along, lefts[:, None] + along
    patches = photographs[which[:, None, None], rows[:, :, None], columns[:, None, :]]
    # Means over blocks of pixels, so that detail finer than a pixel of the result leaves no noise.
    blocks = patches.reshape(n, height, PATCH // height, width, PATCH // width, 3)
    return blocks.mean(axis=(2, 4), dtype=np.float32) / np.float32(255)
