"""The places where a parameter meets data: matrix products and convolutions, found in a network's equations.

From each parameter the equations are followed through what only rearranges or rescales it, to the one product with
data. A bias that is added right after the product belongs to the same place. Parameters that are used twice, or
enter any other way, have no such place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infojax.arrays import Jaxpr, JaxprEqn, Literal, Var
from infojax.kernels.layers.layouts import as_output
from infojax.kernels.layers.program import is_floating, shaped

# They move elements, repeat or drop them, and change no value: neither does a sign matter, for a kernel is quadratic in
# each gradient.
_REARRANGE = frozenset(
    {"reshape", "transpose", "squeeze", "expand_dims", "broadcast_in_dim", "slice", "rev"}
    | {"convert_element_type", "copy", "neg"}
)
_KEEP_LAYOUT = frozenset({"convert_element_type", "copy", "neg"})

Factor = tuple[Var | Literal, bool]
"""A scalar that multiplies (or, if true, divides)."""


@dataclass(frozen=True)
class Site:
    """`at` = Π scale · product(weight, data) + Π bias_scale · bias, rearranged."""

    weight: Var
    bias: Var | None
    equation: JaxprEqn
    operand: int
    """Which operand of the equation is the weight."""
    at: Var
    scale: tuple[Factor, ...]
    bias_scale: tuple[Factor, ...]

    @property
    def data(self) -> Var | Literal:
        return self.equation.invars[1 - self.operand]


@dataclass(frozen=True)
class _Path:
    """From a variable through equations that each have the only use of what the one before made."""

    equations: tuple[JaxprEqn, ...]
    scale: tuple[Factor, ...]
    end: Var
    use: JaxprEqn | None
    """The only use of `end`, when there is just one."""


def find_sites(jaxpr: Jaxpr, leaves: Sequence[Var]) -> tuple[Site, ...]:
    """The sites of those of `leaves` that have one. A leaf is in at most one site, as weight or as bias."""
    graph = _Graph.of(jaxpr)
    leaves = [leaf for leaf in leaves if is_floating(shaped(leaf))]
    paths = [graph.follow(leaf, _REARRANGE) for leaf in leaves]
    added = {
        path.end: (leaf, path)
        for leaf, path in zip(leaves, paths, strict=True)
        if _is(path.use, "add", "sub", "add_any")
    }
    sites = []
    for weight, path in zip(leaves, paths, strict=True):
        product = path.use
        if not _is(product, "dot_general", "conv_general_dilated") or not _keeps_every_element(weight, path):
            continue
        assert product is not None
        operand = product.invars.index(path.end)
        if _is(product, "conv_general_dilated") and (operand == 0 or product.params["batch_group_count"] > 1):
            continue
        after = graph.follow(product.outvars[0], _KEEP_LAYOUT)
        operands = after.use.invars if after.use else []
        ends = [atom for atom in operands if isinstance(atom, Var) and atom in added]
        if after.use and ends and _one_for_each_output(*added[ends[0]], product, operand):
            # A bias belongs to one product only: where two weights meet in one, the second goes without.
            bias, bias_path = added.pop(ends[0])
            scale = path.scale + after.scale
            sites.append(Site(weight, bias, product, operand, after.use.outvars[0], scale, bias_path.scale))
        else:
            sites.append(Site(weight, None, product, operand, product.outvars[0], path.scale, ()))
    return tuple(sites)


@dataclass(frozen=True)
class _Graph:
    uses: dict[Var, list[JaxprEqn | None]]
    makers: dict[Var, JaxprEqn]

    @staticmethod
    def of(jaxpr: Jaxpr) -> "_Graph":
        uses: dict[Var, list[JaxprEqn | None]] = {}
        makers: dict[Var, JaxprEqn] = {}
        for equation in jaxpr.eqns:
            makers.update(dict.fromkeys(equation.outvars, equation))
            for atom in equation.invars:
                if isinstance(atom, Var):
                    uses.setdefault(atom, []).append(equation)
        for atom in jaxpr.outvars:
            if isinstance(atom, Var):
                uses.setdefault(atom, []).append(None)
        return _Graph(uses, makers)

    def follow(self, variable: Var, allowed: frozenset[str]) -> _Path:
        equations: list[JaxprEqn] = []
        scale: list[Factor] = []
        while True:
            uses = self.uses.get(variable, [])
            use = uses[0] if len(uses) == 1 else None
            if use is None:
                return _Path(tuple(equations), tuple(scale), variable, None)
            factor = self._factor(use, variable)
            result = use.outvars[0]
            if factor is not None:
                scale.append(factor)
            elif use.primitive.name not in allowed or not is_floating(shaped(result)):
                return _Path(tuple(equations), tuple(scale), variable, use)
            equations.append(use)
            variable = result

    def _factor(self, equation: JaxprEqn, variable: Var) -> Factor | None:
        """The scalar that `equation` multiplies or divides `variable` by, if this is all that it does."""
        name = equation.primitive.name
        if name not in ("mul", "div") or shaped(equation.outvars[0]).shape != shaped(variable).shape:
            return None
        position = equation.invars.index(variable)
        if name == "div" and position == 1:
            return None
        other = equation.invars[1 - position]
        if isinstance(other, Var):
            maker = self.makers.get(other)
            if maker is not None and maker.primitive.name == "broadcast_in_dim":
                other = maker.invars[0]
        return (other, name == "div") if shaped(other).size == 1 else None


def _is(equation: JaxprEqn | None, *names: str) -> bool:
    return equation is not None and equation.primitive.name in names


def _keeps_every_element(weight: Var, path: _Path) -> bool:
    """Whether what enters the product has each element of the weight once: none is dropped on the way, none repeated.

    What rearranges one to one keeps the number of elements. Where it changes, elements were dropped or repeated, and
    an equal number at the end says nothing: a column, repeated, is as large as the matrix that it was taken from.
    """
    return all(shaped(equation.outvars[0]).size == shaped(weight).size for equation in path.equations)


def _one_for_each_output(bias: Var, path: _Path, product: JaxprEqn, operand: int) -> bool:
    """Whether each output feature of `product` gets its own element of the bias, the same at all positions."""
    origin = np.arange(shaped(bias).size).reshape(shaped(bias).shape)
    for equation in path.equations:
        origin = _moved(equation, origin)
    shape = shaped(product.outvars[0]).shape
    assert path.use is not None
    if origin.ndim != len(shape) or shaped(path.use.outvars[0]).shape != shape:
        return False
    origin = np.asarray(as_output(product, operand, np.broadcast_to(origin, shape)))
    origin = origin.reshape(origin.shape[0], -1)
    return bool((origin == origin[:1]).all()) and sorted(origin[0]) == list(range(shaped(bias).size))


def _moved(equation: JaxprEqn, array: np.ndarray) -> np.ndarray:
    match equation.primitive.name:
        case "reshape" | "squeeze" | "expand_dims":
            return array.reshape(shaped(equation.outvars[0]).shape)
        case "transpose":
            return array.transpose(equation.params["permutation"])
        case "rev":
            return np.flip(array, equation.params["dimensions"])
        case "slice":
            bounds = (equation.params[name] for name in ("start_indices", "limit_indices"))
            strides = equation.params["strides"] or (1,) * array.ndim
            return array[tuple(map(slice, *bounds, strides))]
        case "broadcast_in_dim":
            shape = equation.params["shape"]
            axes = [1] * len(shape)
            for axis, size in zip(equation.params["broadcast_dimensions"], array.shape, strict=True):
                axes[axis] = size
            return np.broadcast_to(array.reshape(axes), shape)
        case _:
            return array
