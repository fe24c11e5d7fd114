"""What a simulation returns: the fields of its law, averaged over independent repeats, and how far they may be off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from infojax.errors import InvalidInput


@runtime_checkable
class Record(Protocol):
    """What a law returns: a NamedTuple of numbers or arrays."""

    def _asdict(self) -> dict[str, Any]: ...


Law = TypeVar("Law", bound=Record)
Problem = TypeVar("Problem")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Simulated(Generic[Law]):
    """The record that the law returns, measured: `found.mean.error` is beside `law.error`.

    Attributes:
        mean: over repeats.
        stderr: standard errors of the means.
    """

    mean: Law
    stderr: Law

    def columns(self) -> dict[str, Float[np.ndarray, "..."]]:
        """Each field under its name and its standard error under `name_stderr`, as tables have them."""
        mean, stderr = self.mean._asdict(), self.stderr._asdict()
        return {key: value for name in mean for key, value in ((name, mean[name]), (f"{name}_stderr", stderr[name]))}


def averaged(law: Callable[..., Law], values: Float[np.ndarray, "repeats *shape fields"]) -> Simulated[Law]:
    """Means and standard errors of repeats, the fields of the law along the last axis.

    >>> from typing import NamedTuple
    >>> class Law(NamedTuple):
    ...     error: float
    ...     norm: float
    >>> found = averaged(Law, np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> {name: float(value) for name, value in found.columns().items()}
    {'error': 2.0, 'error_stderr': 1.0, 'norm': 5.0, 'norm_stderr': 0.0}
    """
    mean, stderr = values.mean(0), values.std(0, ddof=1) / np.sqrt(len(values))
    return Simulated(*(law(*(np.asarray(field) for field in np.moveaxis(both, -1, 0))) for both in (mean, stderr)))


def at_points(
    simulate: Callable[[Problem, PRNGKeyArray], Simulated[Law]], problem: Problem, key: PRNGKeyArray
) -> Simulated[Law]:
    """The simulation of each point of a problem's arrays, one after the other; of several, each with its own key."""
    leaves, structure = jax.tree.flatten(problem)
    points = np.broadcast_arrays(*(np.asarray(leaf, np.float64) for leaf in leaves))
    shape = points[0].shape
    found = [
        simulate(
            jax.tree.unflatten(structure, [np.float64(value) for value in point]),
            jax.random.fold_in(key, index) if shape else key,
        )
        for index, point in enumerate(zip(*(leaf.flat for leaf in points), strict=True))
    ]
    return jax.tree.map(lambda *values: np.stack(values).reshape(shape + np.shape(values[0])), *found)


def check_size(dimension: int, repeats: int, least: int = 2) -> None:
    if dimension < least:
        raise InvalidInput(f"dimension={dimension}: this law needs at least {least} dimensions, better 100 or more")
    if repeats < 2:
        raise InvalidInput(f"repeats={repeats}: a standard error needs at least 2 repeats")
