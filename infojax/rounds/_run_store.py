"""What a run keeps on disk: a folder of files, each replaced whole, all of which know which run they belong to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from infojax.files import checkpoint as checkpoint

State = TypeVar("State", bound=PyTree[Array])


@dataclass(frozen=True)
class RunStore:
    """Arrays under names in a folder; without a folder nothing is kept. Raises what checkpoints raise.

    Attributes:
        folder: of one run.
        mark: fingerprint of what the run is made from.
    """

    folder: Path | None
    mark: str

    def read(self, name: str) -> dict[str, np.ndarray] | None:
        return None if self.folder is None else checkpoint.read(self.folder / f"{name}.npz", self.mark)

    def write(self, name: str, arrays: Mapping[str, object]) -> None:
        if self.folder is not None:
            each = {key: np.asarray(value) for key, value in arrays.items()}
            checkpoint.write(self.folder / f"{name}.npz", self.mark, each)

    def remove(self, pattern: str) -> None:
        for file in [] if self.folder is None else self.folder.glob(f"{pattern}.npz"):
            file.unlink()


def leaves(tree: PyTree[Array]) -> dict[str, object]:
    """The arrays of a pytree under names."""
    return {f"leaf{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(tree))}


def from_leaves(arrays: dict[str, np.ndarray], like: State) -> State:
    """The pytree that `leaves` took apart, of the same structure as `like`."""
    structure: Any = jax.tree.structure(like)
    return structure.unflatten([jnp.asarray(arrays[f"leaf{i}"]) for i in range(structure.num_leaves)])
