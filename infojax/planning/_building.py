"""What building the kernels of a network takes, from its shapes: nothing of it is computed."""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from infojax.kernels import Workspace, choose_tiling, contract, cost, features, kernel_dtype, working
from infojax.models import Network
from infojax.planning._flops import Work, work


@dataclass(frozen=True)
class Building:
    """A kernel of n × m examples, k outputs each.

    Attributes:
        shape: (n k, m k).
        itemsize: bytes of an entry.
        working: bytes on each device while it is built, beside the kernel itself.
        tile: rows and columns of a tile, in examples.
        work: of all tiles and features.
    """

    shape: tuple[int, int]
    itemsize: int
    working: int
    tile: tuple[int, int]
    work: Work

    @property
    def nbytes(self) -> int:
        return self.shape[0] * self.shape[1] * self.itemsize


def building(
    network: Network,
    params: PyTree,
    inputs: tuple[int, ...],
    outputs: int,
    n: int,
    m: int | None,
    workspace: Workspace,
) -> Building:
    """What `empirical_ntk` will do for n examples (against m others, or themselves: None) of shape `inputs`.

    Raises:
        OverBudget: not even one tile fits the workspace.
    """
    dtype = kernel_dtype(params)
    of_block = functools.partial(features, network.apply, params, layers=True)
    one = jax.ShapeDtypeStruct((1, *inputs), jnp.float32)
    costs = cost(of_block, one)
    _, edge, need = working(costs, n, outputs, workspace, symmetric=m is None)
    tiling = choose_tiling(n, m or n, edge, need, budget=workspace.bytes)
    tile = (tiling.rows, tiling.columns)
    blocks = [jax.eval_shape(of_block, jax.ShapeDtypeStruct((size, *inputs), one.dtype)) for size in tile]
    of_tile = work(contract, *blocks)
    of_one = work(of_block, one)
    panels = -(-n // (tiling.rows * tiling.kept))
    made = n + (0 if m is None and panels == 1 else panels * (m or n) * (0.5 if m is None else 1.0))
    pairs = n * (n + tiling.columns) / 2 if m is None else n * m
    total = of_tile.times(pairs / (tile[0] * tile[1])) + of_one.times(made)
    return Building((n * outputs, (m or n) * outputs), np.dtype(dtype).itemsize, tiling.bytes, tile, total)
