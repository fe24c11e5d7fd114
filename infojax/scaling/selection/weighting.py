"""Any rule by which examples are kept and weighed, as a function of their margin and of their label's agreement."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from infojax.arrays import traced
from infojax.errors import InvalidInput
from infojax.scaling.selection.breaks import all_breaks
from infojax.scaling.selection.rules import real_numbers


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Weighting:
    """A rule made by `weigh_by`; a pytree whose leaves are the rule's parameters and breaks."""

    function: Callable = field(metadata={"static": True})
    parameters: tuple[Any, ...] = ()
    breaks: tuple[Any, ...] = ()

    def __call__(self, size: Float[Array, " n"], agrees: Bool[Array, " n"]) -> tuple[Array, Array]:
        """Probability of being kept and weight of the kept, for |w_s·x| and whether sign(w_s·x) is the label."""
        parameters = (jnp.asarray(parameter, size.dtype) for parameter in self.parameters)
        probability, weight = self.function(size, agrees, *parameters)
        probability, weight = (jnp.asarray(value, size.dtype) for value in (probability, weight))
        return jnp.broadcast_to(probability, size.shape), jnp.broadcast_to(weight, size.shape)


def weigh_by(
    function: Callable[..., tuple[ArrayLike, ArrayLike]], *parameters: ArrayLike, breaks: tuple[ArrayLike, ...] = ()
) -> Weighting:
    """Keep an example with a probability, and give it a weight in the loss, that are any functions of its margin.

    Args:
        function: `function(size, agrees, *parameters) -> (probability, weight)`, with size (n,) = |w_s·x| and agrees
            (n,) whether sign(w_s·x) is the example's label (always True where labels are linear). Probabilities are
            in [0, 1], weights ≥ 0. Defined by `def` or kept in a variable: each new function compiles a new program.
        parameters: passed on to it; arrays broadcast, derivatives with respect to them exist.
        breaks: ascending sizes > 0 at which the function has jumps or kinks. Those that are not given are looked for,
            where the parameters are numbers: a jump is found to rounding, if what it bounds is wider than .01.
            Under `jit`, `vmap` or `grad` none can be.

    A law compares two quadratures of the rule. Where they disagree in the seventh digit, as they do where breaks are
    missing, it raises `InvalidInput`; under a transformation all its fields are NaN there.

    Raises `InvalidInput` on breaks that are not positive and ascending, and on probabilities or weights out of range.

    >>> from infojax.scaling import RidgeProblem, keep_hard, ridge_law
    >>> def band(size, agrees, low, high):
    ...     return (size > low) & (size < high), 1.0
    >>> rule = weigh_by(band, 0.0, 0.6745, breaks=(0.6745,))
    >>> law = ridge_law(RidgeProblem(rule, pruner=0.9, ratio=0.1, ridge=0.01))
    >>> hard = ridge_law(RidgeProblem(keep_hard(0.5), pruner=0.9, ratio=0.1, ridge=0.01))
    >>> bool(np.isclose(law.error, hard.error, rtol=1e-4))
    True
    """
    if not traced(breaks):
        for low, high in zip((0.0, *breaks), breaks, strict=False):
            if not np.all(np.asarray(high) > np.asarray(low)):
                raise InvalidInput(f"breaks={breaks} must be positive and ascending: they are sizes |w_s·x|")
    if not traced(parameters):
        parameters = tuple(real_numbers(f"parameter {i}", parameter) for i, parameter in enumerate(parameters))
        # Inside of a jit too: what a rule with known numbers says is known.
        with jax.ensure_compile_time_eval():
            _check_range(function, parameters)
            if not traced(breaks):
                breaks = all_breaks(function, parameters, tuple(breaks))
    return Weighting(function, parameters, tuple(breaks))


def _check_range(function: Callable, parameters: tuple[Any, ...]) -> None:
    sizes = np.linspace(0.0, 6.0, 61)
    shape = np.broadcast_shapes(*(np.shape(parameter) for parameter in parameters))
    leaves = [np.broadcast_to(np.asarray(p, np.float64), shape).reshape(-1, 1) for p in parameters]
    for agrees in (True, False):
        probability, weight = function(sizes[None], np.full((1, len(sizes)), agrees), *leaves)
        for name, values, most in (("probability", probability, 1.0), ("weight", weight, np.inf)):
            bad = ~((np.asarray(values) >= 0) & (np.asarray(values) <= most))
            if bad.any():
                raise InvalidInput(
                    f"the {name} {np.asarray(values, np.float64)[bad].flat[0]:g} that the function gives is out of "
                    f"range: probabilities are in [0, 1], weights are finite and not negative"
                )
