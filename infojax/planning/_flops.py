"""Work of a JAX function, from its jaxpr: nothing runs."""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import jax


class Work(NamedTuple):
    """Floating-point operations of products and convolutions, and bytes that all other operations write."""

    flops: float
    written: float

    def __add__(self, other: Any) -> "Work":  # pyright: ignore[reportIncompatibleMethodOverride]
        return Work(self.flops + other.flops, self.written + other.written)

    def times(self, count: int | float) -> "Work":
        """As much, so many times."""
        return Work(self.flops * count, self.written * count)


def work(function: Callable[..., Any], *operands: Any) -> Work:
    """The work of a call with operands of these shapes; loops count as often as they run.

    >>> import jax.numpy as jnp
    >>> work(lambda a, b: a @ b, jnp.ones((2, 3)), jnp.ones((3, 5))).flops
    60.0
    """
    return _of_jaxpr(jax.make_jaxpr(function)(*operands).jaxpr)


def _of_jaxpr(jaxpr: Any) -> Work:
    return sum((_of_equation(equation) for equation in jaxpr.eqns), Work(0.0, 0.0))


def _of_equation(equation: Any) -> Work:
    name, params = equation.primitive.name, equation.params
    written = float(
        sum(prod(v.aval.shape) * v.aval.dtype.itemsize for v in equation.outvars if hasattr(v.aval, "shape"))
    )
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        left, out = equation.invars[0].aval.shape, equation.outvars[0].aval.shape
        return Work(2.0 * prod(out) * prod(left[axis] for axis in contracted), written)
    if name == "conv_general_dilated":
        kernel, out = equation.invars[1].aval.shape, equation.outvars[0].aval.shape
        features = kernel[params["dimension_numbers"].rhs_spec[0]]
        return Work(2.0 * prod(out) * prod(kernel) / features, written)
    inner = [value for value in params.values() if hasattr(value, "eqns") or hasattr(value, "jaxpr")]
    if inner:
        times = params.get("length", 1) if name == "scan" else 1
        return sum((_of_jaxpr(getattr(value, "jaxpr", value)) for value in inner), Work(0.0, 0.0)).times(times)
    # Shapes that change are free, and fused with what follows.
    return Work(0.0, 0.0 if name in ("reshape", "broadcast_in_dim", "squeeze", "transpose") else written)
