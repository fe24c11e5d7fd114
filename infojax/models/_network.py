"""A network as two pure functions, whatever library it was written with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, Float, PRNGKeyArray, PyTree

Params = PyTree[Array]


@dataclass(frozen=True)
class Network:
    """Pure functions on parameters.

    Attributes:
        init: `init(key, shape)` → parameters, where `shape` is that of one example, without the batch axis.
        apply: `apply(params, x)` with x (b, *shape) → outputs (b, k). Deterministic, in evaluation mode, and
            such that each row of the output depends on its own row of the input alone.
        kernel: for networks made from stax, the `kernel_fn` of the infinite-width limit; otherwise None.
    """

    init: Callable[[PRNGKeyArray, tuple[int, ...]], Params]
    apply: Callable[[Params, Float[Array, "b ..."]], Float[Array, "b k"]]
    kernel: Callable[..., Any] | None = None
