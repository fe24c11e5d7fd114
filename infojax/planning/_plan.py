"""Before starting: what building kernels and leaving examples out will take, and which way to go."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.typing import DTypeLike
from jaxtyping import PyTree

from infojax.errors import InvalidInput
from infojax.kernels import Workspace
from infojax.linearized import Converged, GradientDescent, Training, as_sum, chebyshev_series, terms_needed
from infojax.models import Network
from infojax.planning._building import Building, building
from infojax.planning._machine import Machine, machine_named
from infojax.planning._routes import LONGEST, Name, Route, Sizes, Stage, factor, in_time, products

SAMPLE = 64


@dataclass(frozen=True)
class Plan:
    """What a computation will take. Bytes, floating-point operations, seconds.

    Attributes:
        machine: what it is planned for.
        rows: N = examples × outputs, of the training kernel.
        steps: products with the kernel for each block of columns.
        kernel, cross: how the kernels are built.
        routes: ways to go, all that there are.
        fitting: those that fit into memory and disk.
        chosen: the quickest that fits, or the first that is within a tenth of it; None where none fits, and where even
            the quickest takes longer than was allowed.
        assumptions: what the numbers rest on.
        remedy: what to change where nothing is chosen; otherwise empty.
    """

    machine: Machine
    rows: int
    steps: int
    kernel: Building
    cross: Building
    routes: tuple[Route, ...]
    fitting: tuple[Route, ...]
    chosen: Route | None
    assumptions: tuple[str, ...]
    remedy: str


def plan(
    network: Network,
    params: PyTree,
    *,
    inputs: tuple[int, ...],
    outputs: int,
    examples: int,
    validation: int,
    training: Training | None = None,
    subset: int | None = None,
    sample: Any = None,
    tolerance: float = 1e-6,
    dtype: DTypeLike = np.float64,
    device: str | Machine = "here",
    devices: int = 1,
    memory: int | float | None = None,
    disk: int | float | None = None,
    budget: int = 2**31,
    longest: int | float = LONGEST,
) -> Plan:
    """What it takes to build the kernels of a network and to leave examples out, and the quickest way that fits.

    Nothing is computed but shapes, the rates of this machine (a second or two, for device "here"), and, where training
    needs to know the largest eigenvalue, the kernel of 64 examples.

    Args:
        network: whose kernels they will be.
        params: its parameters.
        inputs: shape of one example.
        outputs: k.
        examples: n.
        validation: m.
        training: as for `unique_information`; None for 2000 steps of descent with half the largest stable step.
