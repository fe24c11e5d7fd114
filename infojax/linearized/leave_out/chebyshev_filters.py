"""Training for a finite time without each of many groups, from products with the kernel alone.

With M_g zero on the rows g, the coefficients without g are φ(M_g Θ M_g + λ) M_g r, a Chebyshev series as φ(Θ + λ) r is.
The polynomials of both, with X = 2Θ/S − 1, obey the same recurrence, t_{j+1} = 2X t_j − t_{j−1}; so what they differ
by, d_j = T_j(X) r − T_j(M X M) M r, has one of its own:

    on the rows that are kept   d_{j+1} = 2X d_j − d_{j−1}
    on those of g               d_{j+1} = t_{j+1}

A step for many groups is one product of Θ with the columns (t_j, d_j of each group). Differences are what is carried,
so that rounding is relative to them, not to what they are differences of.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from infojax.errors import InvalidInput
from infojax.linearized.products.chebyshev_series import Series
from infojax.linearized.products.products import Products, iterate


class Change(NamedTuple):
    """Δ = φ(A) r − φ(A^(−g)) r for B groups.

    Attributes:
        coefficients: Δ (size, B), on the devices.
        weights_error: (B,) by how much ‖Θ^½ Δ‖ may be off.
        length_error: (B,) by how much ‖Δ‖ may be off.
    """

    coefficients: Array
    weights_error: Float[np.ndarray, " B"]
    length_error: Float[np.ndarray, " B"]


class Filters(NamedTuple):
    """The filter with all examples, and those without so many, cut off at the same term.

    Attributes:
        full: the series with all.
        reduced: the series without so many, one for each number of examples that a group may have.
        last: of their terms.
        largest: S.
    """

    full: Series
    reduced: tuple[Series, ...]
    last: int
    largest: float


class _State(NamedTuple):
    step: Array
    direction: Array
    before: Array
    total: Array
    squares: Array
    rounding: Array
    grown: Array


class _Constants(NamedTuple):
    scale: Array
    last: Array
    own: Array
    shared: Array
    left: Array
    which: Array


def without_each(
    products: Products,
    filters: Filters,
    residual: Float[np.ndarray, " N"],
    left: Bool[np.ndarray, "N B"],
    which: Int[np.ndarray, " B"],
) -> Change:
    """Δ of each column of `left`, which says what rows are left out; `which` of the reduced filters is its own.

    Raises:
        InvalidInput: the kernel has eigenvalues outside of [0, S], so that the polynomials grow.
    """
    length = float(np.linalg.norm(residual))
    left = np.concatenate([np.zeros((len(left), 1), bool), left], axis=1)
    start = np.where(left, residual[:, None], 0.0)
    start[:, 0] = residual
    own, shared = _tables(filters)
    constants = _Constants(
        jnp.asarray(2 / filters.largest, products.dtype),
        jnp.asarray(filters.last),
        jnp.asarray(own, products.dtype),
        jnp.asarray(shared, products.dtype),
        products.place(left),
        jnp.asarray(which),
    )
    direction = products.place(start)
    columns = jnp.zeros(left.shape[1] - 1, products.dtype)
    state = _State(
        jnp.asarray(-1), direction, direction, direction[:, 1:] * 0, columns, columns, jnp.zeros_like(columns[0])
    )
    state = _summed(state._replace(step=jnp.asarray(0)), constants)
    state = iterate(products, state, constants, _update, _done)
    if not float(state.grown) <= (1.1 * length) ** 2:
        raise InvalidInput(
            f"The training kernel has eigenvalues outside of 0 to {filters.largest:.6g}: it is not positive "
            "semi-definite. Compute it in higher precision (float64), or add to its diagonal what is missing."
        )
    scale = np.sqrt(filters.largest)
    tails = np.array([series.tails[min(filters.last, len(series.tails) - 1)] for series in filters.reduced])
    cut = (tails[which] + filters.full.tails[min(filters.last, len(filters.full.tails) - 1)]) * length
    # An estimate: the rounding of each product, carried on by polynomials that Θ^½ keeps from growing.
    rounding = 4 * float(np.finfo(products.dtype).eps) * np.asarray(state.rounding, np.float64)
    return Change(state.total, scale * (cut + rounding), cut + 2 * rounding)


def _tables(filters: Filters) -> tuple[np.ndarray, np.ndarray]:
    """c'_j of each reduced filter, and c_j − c'_j; in lengths of which there are few, each compiled once."""
    length = max(32, 1 << filters.last.bit_length())
    full, *reduced = (np.zeros(length) for _ in range(1 + len(filters.reduced)))
    for table, series in zip((full, *reduced), (filters.full, *filters.reduced), strict=True):
        terms = series.coefficients[: filters.last + 1]
        table[: len(terms)] = terms
    own = np.stack(reduced, axis=1)
    return own, full[:, None] - own


def _summed(state: _State, constants: _Constants) -> _State:
    """The next term added, and what it may bring of rounding."""
    t, d = state.direction[:, :1], state.direction[:, 1:]
    own = constants.own[state.step][constants.which]
    shared = constants.shared[state.step][constants.which]
    of_t = jnp.sum(t**2)
    squares = state.squares + jnp.sum(d**2, axis=0)
    steps = (state.step + 1).astype(t.dtype)
    rounding = state.rounding + jnp.abs(own) * jnp.sqrt(squares) + jnp.abs(shared) * jnp.sqrt(steps * of_t)
    return state._replace(
        total=state.total + own[None] * d + shared[None] * t,
        squares=squares,
        rounding=rounding,
        grown=jnp.maximum(state.grown, of_t),
    )


def _update(state: _State, product: Array, constants: _Constants) -> _State:
    image = constants.scale * product - state.direction
    new = jnp.where(state.step == 0, image, 2 * image - state.before)
    new = jnp.where(constants.left, new[:, :1], new)
    return _summed(state._replace(step=state.step + 1, direction=new, before=state.direction), constants)


def _done(state: _State, constants: _Constants) -> Array:
    return state.step >= constants.last
