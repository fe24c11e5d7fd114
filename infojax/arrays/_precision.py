"""float64 exactly where it is needed, without switching the whole process.

JAX decides between float32 and float64 by a process-wide switch. Eigendecompositions and asymptotic laws need
float64, networks do not, so public functions of the first kind are decorated with `in_float64`:

* called with numbers or arrays, they compute in float64 and return NumPy float64 arrays, which mean the same
  inside and outside of any switch;
* called with tracers (inside `jax.jit`, `jax.vmap`, `jax.grad`), they compute in the caller's precision and
  return JAX arrays. Wrap such a transformation in `with float64():` for float64 throughout.
"""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax
import numpy as np

from infojax.arrays._jax_versions import Tracer, enable_x64
from infojax.arrays._plain import plain_array

P = ParamSpec("P")
R = TypeVar("R")


def float64() -> Any:
    """A context in which JAX computes in float64.

    >>> import jax.numpy as jnp
    >>> with float64():
    ...     print(jnp.linspace(0.0, 1.0, 3).dtype)
    float64
    """
    return enable_x64(True)


def traced(*trees: Any) -> bool:
    """Whether any leaf is traced by a transformation of JAX.

    >>> traced(1.0, np.ones(3))
    False
    """
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(trees))


def in_float64(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in float64 on concrete arguments, in the caller's precision on traced ones."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if traced(args, kwargs):
            return function(*args, **kwargs)
        with float64():
            args, kwargs = jax.tree.map(_widen, (args, kwargs))
            return jax.tree.map(_to_host, function(*args, **kwargs))

    return call


def _widen(leaf: Any) -> Any:
    if isinstance(leaf, np.ma.MaskedArray):
        leaf = plain_array("an argument", leaf)  # refused, where something is masked
    floating = hasattr(leaf, "dtype") and np.issubdtype(leaf.dtype, np.floating)
    return np.asarray(leaf, np.float64) if floating else leaf


def _to_host(leaf: Any) -> Any:
    # Inside a transformation even what is computed of constants is a tracer.
    return np.asarray(leaf) if isinstance(leaf, jax.Array) and not traced(leaf) else leaf
