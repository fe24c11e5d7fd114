"""Floating-point operations of a JAX function's matrix products and convolutions, counted in its jaxpr."""

from collections.abc import Callable
from math import prod
from typing import Any

import jax


def flops(function: Callable[..., Any], *operands: Any) -> int:
    """Twice the multiplications in products and convolutions; loops count as often as they run."""
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), operands)
    return _of_jaxpr(jax.make_jaxpr(function)(*shapes).jaxpr)


def _of_jaxpr(jaxpr: Any) -> int:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: Any) -> int:
    name, params = equation.primitive.name, equation.params
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        left, out = equation.invars[0].aval.shape, equation.outvars[0].aval.shape
        return 2 * prod(out) * prod(left[axis] for axis in contracted)
    if name == "conv_general_dilated":
        kernel, out = equation.invars[1].aval.shape, equation.outvars[0].aval.shape
        features = kernel[params["dimension_numbers"].rhs_spec[0]]
        return 2 * prod(out) * prod(kernel) // features
    inner = [value for value in params.values() if hasattr(value, "eqns") or hasattr(value, "jaxpr")]
    times = params.get("length", 1) if name == "scan" else 1
    return times * sum(_of_jaxpr(getattr(value, "jaxpr", value)) for value in inner)
