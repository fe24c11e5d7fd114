"""Which rows of a kernel are left out together: one example's k outputs, or those of a whole group."""

from collections.abc import Iterable, Mapping, Set
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Bool, Int

from infojax.arrays import plain_array, text
from infojax.errors import InvalidInput

Groups: TypeAlias = Iterable[Any]


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
        groups: None for every example by itself; a label per example, integers or text (groups in ascending order of
            label); or groups, each of example numbers or a mask (n,) of booleans, which may overlap. Any iterable.

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


def _members(groups: Any, examples: int) -> list[Int[np.ndarray, " _"]]:
    if groups is None:
        return list(np.arange(examples)[:, None])
    if isinstance(groups, str | bytes | Mapping | Set) or not isinstance(groups, Iterable):
        remedy = "list(groups.values())" if isinstance(groups, Mapping) else "labels (n,), or lists of example numbers"
        raise InvalidInput(f"groups is {groups!r:.80}; give {remedy}.")
    if hasattr(groups, "__array__") and np.asarray(groups).dtype != object:
        given = plain_array("groups", groups)
        single = given.ndim < 2
    else:  # one object after the other, as members may be iterators, and of several lengths
        given = list(groups)
        single = all(_is_single(each) for each in given)
    if single and np.size(given) == 0:
        raise InvalidInput("groups is empty; give at least one group, or None for every example by itself.")
    if single:
        return _by_label(text("groups", plain_array("groups", given)), examples)
    if isinstance(given, np.ndarray) and given.shape[1:] == (1,) and len(np.unique(given)) < len(given):
        raise InvalidInput(
            f"groups has shape {given.shape}, so groups of one example each, and repeats some. Labels are (n,): give "
            "groups[:, 0]."
        )
    return [_numbers(f"group {number}", member, examples) for number, member in enumerate(given)]


def _is_single(each: Any) -> bool:
    return not isinstance(each, Iterable) or isinstance(each, str | bytes) or getattr(each, "ndim", 1) == 0


def _by_label(labels: np.ndarray, examples: int) -> list[Int[np.ndarray, " _"]]:
    if labels.dtype.kind == "b":
        raise InvalidInput(
            "groups is a mask of booleans, which may mean one group or two: give [mask] to leave out what it marks, or "
            "mask.astype(int) for both sides."
        )
    if labels.shape != (examples,) or labels.dtype.kind not in "iuU":
        raise InvalidInput(
            f"groups has shape {labels.shape} and dtype {labels.dtype}; as labels it must hold one integer for each of "
            f"the {examples} examples, or one text; as groups, lists of example numbers."
        )
    names, which = np.unique(labels, return_inverse=True)
    order = np.argsort(which, kind="stable")
    return np.split(order, np.cumsum(np.bincount(which, minlength=len(names)))[:-1])


def _numbers(what: str, member: Any, examples: int) -> Int[np.ndarray, " _"]:
    """Example numbers of one group, given as such or as a mask."""
    found = plain_array(what, sorted(member) if isinstance(member, Set) else member)
    if found.ndim == 1 and found.dtype.kind == "b":
        if len(found) != examples:
            raise InvalidInput(f"{what} is a mask of {len(found)} booleans; there are {examples} examples.")
        return np.flatnonzero(found)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise InvalidInput(
            f"{what} is of dtype {found.dtype} and shape {found.shape}; give example numbers (g,), or a mask of "
            f"booleans ({examples},)."
        )
    return found.astype(np.int64)
