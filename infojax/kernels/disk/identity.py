"""What decides a kernel's entries, as digests: a kernel on disk tells by them whether it is the one asked for."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from infojax.arrays import ClosedJaxpr
from infojax.errors import InvalidInput
from infojax.files import fingerprint
from infojax.kernels.layers.program import flatten


def identify(apply: Callable[..., Any], params: PyTree, x1: Any, x2: Any, **options: Any) -> dict[str, str]:
    """Digests of all that decides a kernel's entries: parameters, examples, the network's equations, options."""
    one = jax.ShapeDtypeStruct((1, *x1.shape[1:]), x1.dtype)
    program = flatten(apply, params, one)
    # Functions with derivatives of their own print where they lie in memory.
    text = re.sub(r"0x[0-9a-f]+", "", str(program.jaxpr))
    inputs = {
        "network": fingerprint(text, [np.asarray(constant) for constant in _constants(program)]),
        "params": fingerprint(params),
        "x1": fingerprint(x1),
        "x2": "as x1" if x2 is None else fingerprint(x2),
    }
    return inputs | {name: str(value) for name, value in options.items()} | {"jax": jax.__version__}


def check_inputs(folder: object, found: Mapping[str, str], inputs: Mapping[str, str]) -> None:
    """Refuse the kernel in `folder`, if it is `found` to be of other inputs, naming those that differ."""
    differ = [name for name in sorted({*found, *inputs} - {"jax"}) if found.get(name) != inputs.get(name)]
    if not differ:
        return
    hint = ""
    if differ == ["network"] and found.get("jax") != inputs["jax"]:
        hint = f" (it was begun with JAX {found.get('jax')}, which may write the same network otherwise)"
    raise InvalidInput(
        f"the kernel in {folder} was computed from other inputs: {', '.join(differ)} differ{hint}. Give those "
        "it was begun with to go on, or another folder to begin anew"
    )


def _constants(program: ClosedJaxpr) -> list[Any]:
    """Arrays that the network's equations contain, those of functions inside it too."""
    values = [value for equation in program.jaxpr.eqns for value in jax.tree.leaves(list(equation.params.values()))]
    inside = [constant for value in values if isinstance(value, ClosedJaxpr) for constant in _constants(value)]
    return [*program.consts, *inside]
