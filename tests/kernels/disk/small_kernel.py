"""A kernel of seven examples with two outputs each, in nine tiles."""

import jax.numpy as jnp
import numpy as np
from rich.progress import Progress

from infojax.kernels import KernelOnDisk, empirical_ntk

K = 2
X = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(4, 5)).astype(np.float32)
PARAMS = {"w": np.random.default_rng(2).normal(size=(5, 6)).astype(np.float32), "out": np.ones((6, K), np.float32)}


def apply(params, x):
    return jnp.tanh(x @ params["w"]) @ params["out"]


def on_disk(folder, **options) -> KernelOnDisk:
    return empirical_ntk(apply, PARAMS, X, tile=3, out=folder, **options)


def tiles_computed(folder, x2=None, **options) -> int:
    with Progress(disable=True) as progress:
        empirical_ntk(apply, PARAMS, X, x2, tile=3, out=folder, progress=progress, **options)
    return int(progress.tasks[0].completed)
