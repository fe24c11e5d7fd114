"""A trained network with its examples and queries, checked."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from infojax.arrays import array_of_reals, check_float32, float64, plain_array
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.information._retraining_problem import Examples
from infojax.information.influence_functions.losses import Loss
from infojax.kernels import is_floating, kernel_dtype
from infojax.models import Network, Params, check_network, check_network_and_params, require_examples


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Problem:
    """Arrays in the precision of the parameters: x (n, ...), y (n, k), query_x (q, ...), query_y (q, k).

    `y` is one-hot for cross-entropy.
    """

    params: Any
    x: Any
    y: Any
    query_x: Any
    query_y: Any
    apply: Callable[..., Any] = field(metadata={"static": True})
    loss: Loss = field(metadata={"static": True})

    def precision(self) -> Any:
        """A context in which JAX computes in the precision of the parameters."""
        return float64() if self.x.dtype == np.float64 else contextlib.nullcontext()


def pose(network: Network, params: Params, train: Examples, queries: Examples, loss: Loss | str) -> Problem:
    """The problem. Raises InvalidInput as `infojax.information.influence` says."""
    if loss not in ("squared", "cross_entropy"):
        raise InvalidInput(f'loss is {loss!r}; it must be "squared" or "cross_entropy".')
    check_network_and_params(network, params)
    require_examples("train", train)
    require_examples("queries", queries)
    leaves = jax.tree.leaves(params)
    if not leaves or not all(is_floating(leaf) for leaf in leaves):
        raise InvalidInput("params must be floating-point arrays only, at least one.")
    if not all(np.isfinite(np.asarray(leaf)).all() for leaf in leaves):
        raise InvalidInput("params has NaN or infinite values: did training diverge?")
    dtype = kernel_dtype(params)
    with float64() if dtype == np.float64 else contextlib.nullcontext():
        x, query_x = (_inputs(data, name, dtype) for data, name in ((train, "train"), (queries, "queries")))
        if len(x) < 2:
            raise InvalidInput(f"There is {len(x)} training example; leaving one out needs at least 2.")
        outputs = check_network(network.apply, params, x)
        targets = _classes if loss == "cross_entropy" else _values
        y = targets(train, "train", x, outputs).astype(dtype)
        query_y = targets(queries, "queries", query_x, outputs).astype(dtype)
    return Problem(params, x, y, query_x, query_y, network.apply, loss)


def _inputs(data: Examples, name: str, dtype: np.dtype) -> np.ndarray:
    x = array_of_reals(f"{name} x", data.x if isinstance(data, Dataset) else data[0])
    if x.ndim < 1 or len(x) == 0:
        raise InvalidInput(f"{name} has x of shape {x.shape}; give (n, ...) with n ≥ 1.")
    with np.errstate(over="ignore"):  # refused below
        kept = x.astype(dtype)
    if not np.isfinite(kept).all():
        raise InvalidInput(f"{name} x has {np.sum(~np.isfinite(kept))} NaN or infinite entries; drop those examples.")
    if dtype == np.float32:
        check_float32(x, kept, f"{name} x", stacklevel=4)
    return kept


def _values(data: Examples, name: str, x: np.ndarray, outputs: int) -> np.ndarray:
    y = array_of_reals(f"{name} targets", data.targets if isinstance(data, Dataset) else data[1])
    y = y[:, None] if y.ndim == 1 else y
    if y.shape != (len(x), outputs):
        raise InvalidInput(
            f"{name} has targets of shape {y.shape} for {len(x)} examples, the network has {outputs} outputs."
        )
    if not np.isfinite(y).all():
        raise InvalidInput(f"{name} targets have {np.sum(~np.isfinite(y))} NaN or infinite entries; drop them.")
    return y


def _classes(data: Examples, name: str, x: np.ndarray, outputs: int) -> np.ndarray:
    """Labels (n,), or one-hot rows (n, k), as one-hot rows."""
    if outputs < 2:
        raise InvalidInput("Cross-entropy needs an output for each class; build the network with outputs=2 for two.")
    y = plain_array(f"{name} targets", data.y if isinstance(data, Dataset) else data[1])
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind in "iu" else y
    one_hot = y.ndim == 2 and y.shape[1] == outputs and np.isin(y, (0, 1)).all() and (y.sum(1) == 1).all()
    labels = y.argmax(1) if one_hot else y
    if labels.shape != (len(x),) or labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= outputs:
        raise InvalidInput(
            f"{name} has targets {y.dtype}{list(y.shape)} for {len(x)} examples; cross-entropy takes class numbers "
            f"from 0 to {outputs - 1}, or one-hot rows of {outputs}."
        )
    return np.eye(outputs)[labels]
