"""Which rows of a kernel are left out together: one example's k outputs, or those of a whole group."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Bool, Int

from infojax.errors import InvalidInput

Groups: TypeAlias = Int[np.ndarray, " n"] | Sequence[Sequence[int] | Int[np.ndarray, " _"]]


class Rows(NamedTuple):
    """Rows of the kernel per group, padded to the largest group.

    Attributes:
        indices: (G, g) row numbers; padding repeats row 0.
        present: (G, g) False where padded.
        sizes: (G,) examples per group.
    """

    indices: Int[np.ndarray, "G g"]
    present: Bool[np.ndarray, "G g"]
    sizes: Int[np.ndarray, " G"]


def rows_of_groups(groups: Groups | None, examples: int, outputs: int) -> Rows:
    """Rows to leave out together, in example-major order (row of output c of example i: i·outputs + c).

    Args:
        groups: None for every example by itself; an integer label per example (groups in ascending order of
            label); or a sequence of groups, each a sequence of example numbers, which may overlap.

    Raises:
        InvalidInput: a group is empty, leaves nothing, repeats an example or names one that does not exist.

    >>> rows_of_groups([[0, 2], [1]], examples=3, outputs=1).indices
    array([[0, 2],
           [1, 0]])
    """
    members = _members(groups, examples)
    for number, member in enumerate(members):
        if len(member) == 0 or len(member) >= examples:
            raise InvalidInput(
                f"Group {number} has {len(member)} of {examples} examples; leaving it out must change something and "
                "leave something: give groups of 1 to n − 1 examples."
            )
        if len(np.unique(member)) != len(member) or member.min() < 0 or member.max() >= examples:
            raise InvalidInput(
                f"Group {number} is {member[:10].tolist()}…; its members must be different example numbers from 0 to "
                f"{examples - 1}."
            )
    sizes = np.array([len(member) for member in members])
    indices = np.zeros((len(members), sizes.max() * outputs), np.int64)
    present = np.arange(indices.shape[1])[None] < (sizes * outputs)[:, None]
    for index, member in zip(indices, members, strict=True):
        index[: len(member) * outputs] = (member[:, None] * outputs + np.arange(outputs)[None]).ravel()
    return Rows(indices, present, sizes)


def _members(groups: Groups | None, examples: int) -> list[np.ndarray]:
    if groups is None:
        return list(np.arange(examples)[:, None])
    if isinstance(groups, np.ndarray) and groups.ndim == 1 and groups.dtype != object:
        if len(groups) != examples or not np.issubdtype(groups.dtype, np.integer):
            raise InvalidInput(
                f"groups has shape {groups.shape} and dtype {groups.dtype}; as labels it must hold one integer for "
                f"each of the {examples} examples."
            )
        return [np.flatnonzero(groups == label) for label in np.unique(groups)]
    if np.ndim(np.asarray(groups, object)) == 0:
        raise InvalidInput(f"groups is {groups!r:.80}; give integer labels (n,), or lists of example numbers.")
    if len(groups) == 0:
        raise InvalidInput("groups is empty; give at least one group, or None for every example by itself.")
    return [np.asarray(group, np.int64) for group in groups]
