"""(C + λ)⁻¹ b by conjugate gradient or by LiSSA, from products with C alone; one right-hand side, to be vmapped.

Koh and Liang's recursion as it is usually written, h ← b + (1 − d) h − C h / scale with the answer h / scale, has a
damping d that is not added to C: its fixed point is (C + d·scale)⁻¹ b. Here damping is always the ridge.

The paper's settings (Harutyunyan et al. 2021, in its code) are `PAPER_LISSA`, for ResNets with 50 steps only; d = .01,
which is `PAPER_LISSA_DAMPING`, a ridge of 10, without decay, and mostly d = 0 with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from infojax.errors import InvalidInput

Vector: TypeAlias = Float[Array, " P"]


@dataclass(frozen=True)
class ConjugateGradient:
    """At most `steps` products, until the residual is below `tolerance` times the right-hand side.

    Needs a positive definite matrix: a Hessian has negative eigenvalues, which the damping must outweigh.
    """

    steps: int = 200
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0 <= self.tolerance < 1:
            raise InvalidInput(f"{self}: give at least one step and a tolerance of 0 or more, below 1.")


@dataclass(frozen=True)
class Lissa:
    """The Neumann series h ← h + (b − (C + λ) h) / scale, `steps` terms (Agarwal, Bullins, Hazan 2017).

    It converges if no eigenvalue of C + λ reaches 2·scale, and takes some scale/λ steps then.

    Attributes:
        scale: in the unit of the mean loss's curvature.
        batch: examples drawn for each product; None takes all, and the answer converges to the exact one.
        repeats: runs that are averaged (with `batch`).
        seed: of the draws.
    """

    scale: float = 10.0
    steps: int = 1000
    batch: int | None = None
    repeats: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (self.steps, self.repeats, 1 if self.batch is None else self.batch)
        if min(counts) < 1 or not 0 < self.scale < float("inf"):
            raise InvalidInput(f"{self}: steps, repeats and batch must be at least 1, scale positive.")


PAPER_LISSA = Lissa(scale=1000.0, steps=1000, batch=128)
PAPER_LISSA_DAMPING = 10.0


def conjugate_gradient(
    solver: ConjugateGradient, product: Callable[[Vector], Vector], ridge: Float[Array, ""], b: Vector
) -> Vector:
    """The answer to (C + λ) h = b."""
    return jax.scipy.sparse.linalg.cg(lambda v: product(v) + ridge * v, b, tol=solver.tolerance, maxiter=solver.steps)[
        0
    ]


def lissa(
    solver: Lissa,
    product: Callable[[Float[Array, " b"] | None, Vector], Vector],
    ridge: Float[Array, ""],
    examples: int,
    b: Vector,
) -> Vector:
    """The same; `product(chosen, v)` takes the numbers of the examples that it is over, None for all."""

    def run(key: PRNGKeyArray) -> Vector:
        def step(number: Array, h: Vector) -> Vector:
            chosen = None
            if solver.batch is not None:
                draw = jax.random.fold_in(key, number)
                chosen = jax.random.choice(draw, examples, (min(solver.batch, examples),), replace=False)
            return h + (b - product(chosen, h) - ridge * h) / solver.scale

        return jax.lax.fori_loop(0, solver.steps, step, b / solver.scale)

    keys = jax.random.split(jax.random.key(solver.seed), solver.repeats)
    return jax.lax.map(run, keys).mean(0)
