"""The one door to neural-tangents: its last release, 0.6.5 (2024), on the JAX of today.

>>> from infojax.models import relaxed, stax
>>> init, apply, kernel = stax.serial(stax.Dense(512), stax.Relu(), stax.Dense(1))
>>> with relaxed():
...     kernel(np.ones((2, 3), np.float32), None, "ntk").shape
(2, 2)

`nt` is the library itself (`nt.batch`, `nt.linearize`, `nt.empirical_ntk_fn`, …), `stax` and `predict` its modules.
Importing this file imports the library, about a second; `import infojax` does neither. TensorFlow is never imported:
an empty module stands in for `neural_tangents.experimental`, the one place that asks for it.

The library mixes dtypes and ranks freely. Where JAX was told to forbid that (`jax_numpy_dtype_promotion="strict"`,
`jax_numpy_rank_promotion="raise"`), call it inside of `with relaxed():`, or decorate with `@relaxed()`. Networks
made by `infojax.models.from_stax` and `infojax.kernels.infinite_width` do so themselves.

The library is archived: nobody mends it upstream. What it needs to go on working is here.
"""

import importlib
import importlib.metadata
import math
import platform
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import jax
import jax.core
import jax.extend.core
import jax.numpy as jnp
import numpy as np
import scipy
import scipy.linalg
from jax.extend import source_info_util
from jax.interpreters import ad

from infojax.arrays import Tracer, bind
from infojax.errors import IncompatibleVersion

__all__ = ["nt", "predict", "relaxed", "stax"]


@contextmanager
def relaxed() -> Iterator[None]:
    """A context, and a decorator, in which JAX promotes dtypes and ranks as neural-tangents expects.

    Only strictness is lifted; whether JAX computes in float32 or float64 stays as it is.
    """
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def _safe_map(function: Callable[..., Any], *sequences: Any) -> list[Any]:
    return [function(*items) for items in zip(*sequences, strict=True)]


def _safe_zip(*sequences: Any) -> list[tuple[Any, ...]]:
    return list(zip(*sequences, strict=True))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


@contextmanager
def _lent(namespace: dict[str, Any], names: dict[str, Any]) -> Iterator[None]:
    """Put `names` that are missing into `namespace`, and take them away again."""
    missing = {name: value for name, value in names.items() if name not in namespace}
    namespace.update(missing)
    try:
        yield
    finally:
        for name in missing:
            namespace.pop(name, None)


def _import_library() -> ModuleType:
    """The library, imported while the names that it asks for are there."""
    moved = {name: getattr(jax.extend.core, name) for name in ("Jaxpr", "JaxprEqn", "Literal", "Primitive", "Var")}
    # JAX makes no equations of this kind any more; the library wants a key for a table of rules.
    zeros_like = jax.extend.core.Primitive("zeros_like")
    util = ModuleType("jax.util")
    vars(util).update(safe_map=_safe_map, safe_zip=_safe_zip)
    empty = ModuleType("neural_tangents.experimental")
    with (
        _lent(jax.core.__dict__, moved),
        _lent(ad.__dict__, {"zeros_like_p": zeros_like}),
        _lent(sys.modules, {util.__name__: util, empty.__name__: empty}),
        # Whoever imports this file first may be inside of a `jax.jit`, where constants would become tracers.
        jax.ensure_compile_time_eval(),
        warnings.catch_warnings(action="ignore"),
    ):
        return importlib.import_module("neural_tangents")


def _library_module(name: str) -> Any:
    return importlib.import_module(f"neural_tangents._src.{name}")


def _view(module: ModuleType, **names: Any) -> ModuleType:
    """What looks like `module`, except for `names`."""
    view = ModuleType(module.__name__)
    vars(view).update(names, __getattr__=lambda name: getattr(module, name))
    return view


def _repair() -> None:
    """Give the empirical kernels views of JAX in which nothing is missing; JAX itself stays as it is."""
    empirical = _library_module("empirical")
    no_array_is_one = type("DShapedArray", (), {})
    empirical.core = _view(jax.core, DShapedArray=no_array_is_one)
    empirical.ad = _view(ad, source_info_util=source_info_util, config=SimpleNamespace(jax_enable_checks=False))
    # JAX is about to refuse these of arrays that are only a shape and a dtype, and the dtype of an array.
    empirical.jnp = _view(
        jnp,
        size=lambda x: math.prod(np.shape(x)),
        shape=lambda x: tuple(np.shape(x)),
        dtype=lambda x: x.dtype,
    )
    empirical._get_primals_out_and_pullback = _outputs_and_pullback
    empirical._eqn_vjp_fn = _transpose_equation
    empirical._get_flops = _count_operations
    batching = _library_module("batching")
    batching.pmap = _over_devices
    batching._flatten_kernel = _knowing_that_inputs_are_the_same(batching._flatten_kernel, batching.Kernel)
    prediction = _library_module("predict")
    prediction.sp = _view(scipy, linalg=_view(scipy.linalg, eigvalsh=_eigenvalues))


def _over_devices(function: Callable[..., Any], *settings: Any, **named: Any) -> Callable[..., Any]:
    """`jax.pmap` that takes what another one made, too: JAX refuses arrays that are spread in another way than it would
    spread them, so they are brought together first.
    """
    mapped = jax.pmap(function, *settings, **named)

    def together(leaf: Any) -> Any:
        spread = isinstance(leaf, jax.Array) and not isinstance(leaf, Tracer) and len(leaf.devices()) > 1
        return np.asarray(leaf) if spread else leaf

    def call(*args: Any, **kwargs: Any) -> Any:
        return mapped(*jax.tree.map(together, args), **jax.tree.map(together, kwargs))

    return call


def _knowing_that_inputs_are_the_same(flatten: Callable[..., Any], kernel_class: type) -> Callable[..., Any]:
    """`flatten`, which puts a kernel together from its parts, for kernels of inputs with themselves: each of several
    devices sees other rows than columns, and says that they are not the same; the whole is.
    """

    def is_kernel(node: Any) -> bool:
        return isinstance(node, kernel_class)

    def whole(kernel: Any) -> Any:
        return kernel.replace(x1_is_x2=jnp.ones_like(kernel.x1_is_x2)) if is_kernel(kernel) else kernel

    def together(parts: Any, x2_is_none: bool, is_parallel: bool) -> Any:
        made = flatten(parts, x2_is_none, is_parallel)
        return jax.tree.map(whole, made, is_leaf=is_kernel) if x2_is_none else made

    return together


def _count_operations(function: Callable[..., Any], optimize: bool, *args: Any, **kwargs: Any) -> float:
    """Floating-point operations of a function, by which the library chooses an implementation. JAX' answer was a list
    with a dictionary in it; now it is the dictionary, and may say nothing.
    """
    lowered = jax.jit(function).lower(*args, **kwargs)
    found = lowered.compile().cost_analysis() if optimize else lowered.cost_analysis()
    found = found[0] if isinstance(found, list) else found
    return float((found or {}).get("flops", 0.0))


def _eigenvalues(matrix: Any, eigvals: tuple[int, int] | None = None, **options: Any) -> Any:
    """SciPy's `eigvalsh`, whose argument `eigvals` has another name now."""
    return scipy.linalg.eigvalsh(np.asarray(matrix), subset_by_index=eigvals, **options)


def _outputs_and_pullback(
    function: Callable[..., Any], mode: Any, _j_rules: bool, _s_rules: bool, _fwd: bool | None, *primals: Any
) -> tuple[Any, Callable[..., Any]]:
    """Outputs, and the function that walks the linearized program backwards and collects what `mode` asks for."""
    with jax.disable_jit():
        outputs, tangent_map = jax.linearize(function, *primals)
        linear = jax.make_jaxpr(tangent_map)(*primals)

    def pullback(*cotangents: Any) -> Any:
        collected = _library_module("empirical")._backward_pass(
            linear.jaxpr,
            mode=mode,
            consts=linear.consts,
            primals_in=[ad.UndefinedPrimal(variable.aval) for variable in linear.jaxpr.invars],
            cotangents_in=tuple(jax.tree.leaves(cotangents)),
            _j_rules=_j_rules,
            _s_rules=_s_rules,
            _fwd=_fwd,
        )
        return jax.tree.unflatten(jax.tree.structure(primals), collected)

    return outputs, pullback


def _transpose_equation(equation: Any, cotangent: Any, *operands: Any) -> Sequence[Any]:
    """Cotangents of those `operands` in which the equation is linear, the undefined ones; None for the others."""
    if equation is None:  # the identity
        return (cotangent,)
    linear_in = [i for i, operand in enumerate(operands) if isinstance(operand, ad.UndefinedPrimal)]
    cotangents: list[Any] = [None] * len(operands)
    if isinstance(cotangent, ad.Zero):
        return cotangents

    def forward(*values: Any) -> Any:
        given = dict(zip(linear_in, values, strict=True))
        return bind(equation, *(given.get(i, operand) for i, operand in enumerate(operands)))

    shapes = [jax.ShapeDtypeStruct(operands[i].aval.shape, operands[i].aval.dtype) for i in linear_in]
    for i, value in zip(linear_in, jax.linear_transpose(forward, *shapes)([cotangent]), strict=True):
        cotangents[i] = value
    return cotangents


def _try_out() -> None:
    """Trace the part that leans on JAX the most, structured derivatives, without computing anything."""
    init, apply, _ = nt.stax.serial(nt.stax.Dense(3), nt.stax.Erf(), nt.stax.Dense(2))
    x = jax.ShapeDtypeStruct((4, 5), jnp.float32)

    def kernel(key: Any, x: Any) -> Any:
        return nt.empirical_ntk_fn(apply, trace_axes=(), implementation=3)(x, None, init(key, x.shape)[1])

    shape = jax.eval_shape(relaxed()(kernel), jax.eval_shape(lambda: jax.random.key(0)), x).shape
    if shape != (4, 4, 2, 2):
        raise TypeError(f"its empirical kernel has shape {shape}")


try:
    nt = _import_library()
    _repair()
    _try_out()
except Exception as error:
    raise IncompatibleVersion(
        f"neural-tangents {_version('neural-tangents')} does not work with JAX {jax.__version__} on Python "
        f"{platform.python_version()}: {type(error).__name__}: {error}. Install neural-tangents 0.6.5 and a JAX that "
        "infojax was tested with, 0.9 to 0.12."
    ) from error

stax = nt.stax
predict = nt.predict
