"""Whether each row of a network's outputs depends on its own example alone, tried out on four examples.

The first of four keeps its output when the three others are exchanged: the same program with the same numbers, so that
it stays the same to the last digits. Turned round, or alone, it is the work of another place or another program, and
stays the same to rounding; and so each example when it is computed by itself.

Weights that are all zero hide what they multiply (the last layer of many networks starts so); they are tried out with
other values.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from infojax.arrays import ClosedJaxpr, Jaxpr
from infojax.errors import InvalidInput
from infojax.models.checks.parameters import is_floating

_ROWS = 4
_NAMELESS = ("<lambda>", "apply", "call", "__call__")

_NORMALIZED = (
    "normalize with running averages (BatchNorm with use_running_average=True; module.eval(), train=False), and take "
    "means, softmaxes and attention over the axes of one example, not over the batch"
)
_RANDOM = (
    "switch dropout and noise off (module.eval(), deterministic=True, train=False), and keep no state between calls"
)


def _together_and_alone(
    apply: Callable[..., Any], params: PyTree, x: Any
) -> tuple[Float[Array, "b k"], Float[Array, "1 k"]]:
    """The outputs of all of `x`, and of its first example alone."""
    return apply(params, x), apply(params, x[:1])


@functools.cache
def _compiled(backend: str) -> Callable[..., Any]:
    """Nearly all of a trial is compiling; a processor's program for four examples needs no polish, for half of that."""
    options = {"xla_backend_optimization_level": 0} if backend == "cpu" else None
    return jax.jit(_together_and_alone, static_argnames="apply", compiler_options=options)


def check_rows(apply: Callable[..., Any], params: PyTree, x: Any) -> None:
    """Raises `InvalidInput` when rows of the outputs depend on other examples, on their place, or on chance.

    Args:
        apply: `apply(params, x)` → (b, k).
        params: arrays, not traced.
        x: at least one example, (n, ...).
    """
    name = getattr(apply, "__name__", "")
    name = "The network" if name in ("", *_NAMELESS) else name
    rows, others = _examples(np.asarray(x))
    exchanged, turned = np.concatenate([rows[:1], others[1:]]), rows[::-1]
    probed = jax.tree.map(_filled, params)
    (together, alone), (among_others, _), (elsewhere, last_alone) = (
        _outputs(apply, probed, batch) for batch in (rows, exchanged, turned)
    )
    if not np.isfinite(together).any():  # the values put in for zeros may lead out of the network's domain
        probed = params
        (together, alone), (among_others, _), (elsewhere, last_alone) = (
            _outputs(apply, probed, batch) for batch in (rows, exchanged, turned)
        )
    scale = float(np.abs(together[np.isfinite(together)]).max(initial=0))
    eps = float(jnp.finfo(together.dtype).eps)
    by_exchange = _difference(together[:1], among_others[:1])
    by_place = _difference(together, elsewhere[::-1])
    by_number = max(_difference(together[:1], alone), _difference(together[-1:], last_alone))
    if by_exchange <= 16 * eps * scale and max(by_place, by_number) <= eps**0.5 * scale:
        return

    # Something differs: by how much do outputs move that should not?
    again = _difference(together, _outputs(apply, probed, rows)[0])
    rounding = max(4 * again, _rounding(apply, probed, rows, scale))

    def said(what: str, difference: float, remedy: str) -> InvalidInput:
        by = f"{100 * difference / scale:.2g} % of the largest output" if np.isfinite(difference) else "NaN"
        return InvalidInput(
            f"{name}: {what} (by {by}, tried on {_ROWS} examples). Each row of the outputs must depend on its own "
            f"example alone: {remedy}."
        )

    if again > 16 * eps * scale and again > eps**0.5 * scale:
        raise said("two calls with the same examples give different outputs", again, _RANDOM)
    if by_exchange > max(16 * eps * scale, 4 * again):
        raise said("an example's outputs depend on the other examples of its batch", by_exchange, _NORMALIZED)
    if by_place > rounding:
        raise said("an example's outputs depend on its place in the batch", by_place, f"{_RANDOM}; {_NORMALIZED}")
    if by_number > rounding:
        both = f"{_NORMALIZED}; {_RANDOM}"
        raise said(
            "an example's outputs depend on how many others there are, or change from call to call", by_number, both
        )


def _outputs(apply: Callable[..., Any], params: PyTree, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with jax.default_matmul_precision("highest"):
        together, alone = _compiled(jax.default_backend())(apply, params, x)
    wide = np.float64 if together.dtype == np.float64 else np.float32
    kept = together.dtype
    together, alone = np.asarray(together, wide), np.asarray(alone, wide)
    return (together, alone) if kept == wide else (together.astype(kept), alone.astype(kept))


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference; infinite where one of the two is not finite, and the other is."""
    finite = np.isfinite(a), np.isfinite(b)
    if (finite[0] != finite[1]).any():
        return float("inf")
    wide = (array[finite[0]].astype(np.float64) for array in (a, b))
    return float(np.abs(np.subtract(*wide)).max(initial=0))


def _rounding(apply: Callable[..., Any], params: PyTree, x: np.ndarray, scale: float) -> float:
    """How far apart rounding may bring the outputs of two programs that compute the same.

    It is more than the root of the coarsest precision inside only for networks that enlarge every difference: then
    inputs and weights that are changed in their last digit show it.
    """
    found = _dtypes(jax.make_jaxpr(apply)(params, x).jaxpr)
    eps = max(float(jnp.finfo(dtype).eps) for dtype in found if jnp.issubdtype(dtype, jnp.floating))
    if jax.default_backend() != "cpu":  # convolutions there may take coarser units than their dtype says
        eps = max(eps, 1e-5)
    reference = _outputs(apply, params, x)[0]
    by_last_digit = lambda a: a * np.asarray(1 + 2 * eps, a.dtype) if is_floating(a) else a  # noqa: E731
    moved = [
        _outputs(apply, params, by_last_digit(x))[0],
        _outputs(apply, jax.tree.map(lambda a: by_last_digit(np.asarray(a)), params), x)[0],
    ]
    return max(eps**0.5 * scale, *(10 * _difference(reference, outputs) for outputs in moved))


def _examples(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Four examples of `x`, none of them twice, and four others that are like them."""
    numbers = np.linspace(0, len(x) - 1, _ROWS).astype(int)
    rows = x[numbers]
    seen = [any(np.array_equal(rows[i], rows[j]) for j in range(i)) for i in range(_ROWS)]
    for i in np.flatnonzero(seen):
        rows[i] = _like(rows)[i] if is_floating(rows) else _like(rows)[(i + 1) % _ROWS]
    return rows, _like(rows)


def _like(rows: np.ndarray) -> np.ndarray:
    """Other examples: features in reversed order; numbers that are no integers moved too, integers mirrored in their
    range (so that tokens and colors stay such).
    """
    turned = rows.reshape(len(rows), -1)[:, ::-1].reshape(rows.shape)
    if not is_floating(rows):
        low, high = rows.min(), rows.max()
        return ~turned if rows.dtype == bool else (low + (high - turned)).astype(rows.dtype)
    size = np.abs(rows).astype(np.float64).mean() or 1.0
    each = np.arange(1, len(rows) + 1).reshape(-1, *[1] * (rows.ndim - 1))
    return (0.5 * turned.astype(np.float64) + 0.3 * size * each).astype(rows.dtype)


def _filled(leaf: Any) -> Any:
    """`leaf`, but for one that is zero everywhere: values from .05 to .15."""
    if not is_floating(leaf) or np.asarray(leaf).any():
        return leaf
    values = 0.05 + 0.1 * np.modf(0.618034 * np.arange(1, leaf.size + 1))[0]
    return np.asarray(values).reshape(leaf.shape).astype(leaf.dtype)


def _dtypes(jaxpr: Jaxpr) -> set[Any]:
    """The dtypes of everything that the equations make, those inside of loops and calls too."""
    variables: list[Any] = [*jaxpr.invars, *jaxpr.outvars, *(made for one in jaxpr.eqns for made in one.outvars)]
    found = {variable.aval.dtype for variable in variables if hasattr(variable.aval, "dtype")}
    values = jax.tree.leaves([e.params for e in jaxpr.eqns], is_leaf=lambda v: isinstance(v, Jaxpr | ClosedJaxpr))
    inner = [value.jaxpr if isinstance(value, ClosedJaxpr) else value for value in values]
    return found.union(*(_dtypes(body) for body in inner if isinstance(body, Jaxpr)))
