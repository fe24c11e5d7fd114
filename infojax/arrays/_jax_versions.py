"""The names that move between JAX releases: everything else in infojax imports them from here."""

from typing import Any

from jax import enable_x64
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var, jaxpr_as_fun

__all__ = [
    "ClosedJaxpr",
    "Jaxpr",
    "JaxprEqn",
    "Literal",
    "Tracer",
    "Var",
    "bind",
    "enable_x64",
    "jaxpr_as_fun",
]


def bind(equation: JaxprEqn, *values: Any) -> list[Any]:
    """The results of one equation on these operands; functions inside it (a derivative of its own, say) included."""
    # Up to JAX 0.9 those functions were operands, since then they are parameters.
    bound = equation.primitive.get_bind_params(equation.params)
    functions, params = bound if isinstance(bound, tuple) else ((), bound)
    results = equation.primitive.bind(*functions, *values, **params)
    return list(results) if equation.primitive.multiple_results else [results]
