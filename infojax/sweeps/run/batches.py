"""Configs that one program computes together: which go together, and how they are run.

An experiment opts in by `BATCHED`, the fields of its Config that one program can take many values of, and
`run_batch(configs, scratches, progress)`, which returns what `run` would for each of configs that differ in no other
field. `BATCH` is how many it takes at most, which bounds its memory; 256 where it does not say.
"""

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.progress import Progress

from infojax.errors import InvalidInput
from infojax.sweeps.store.addresses.plain import exactly

BATCH = 256
SHARES = 2  # batches for each worker: more would compile as often, fewer would leave some idle at the end


def batched_fields(module: ModuleType) -> tuple[str, ...]:
    """The fields that one program takes many values of; none for most experiments.

    Raises:
        InvalidInput: BATCHED names what is no field of Config, or has no `run_batch` beside it.
    """
    fields = tuple(getattr(module, "BATCHED", ()))
    known = [field.name for field in dataclasses.fields(module.Config)]
    wrong = [field for field in fields if field not in known]
    if wrong:
        raise InvalidInput(f"BATCHED of {module.__name__} names {wrong[0]!r}; the fields are {', '.join(known)}")
    if fields and not callable(getattr(module, "run_batch", None)):
        raise InvalidInput(f"{module.__name__} has BATCHED, so it must define run_batch(configs, scratches, progress)")
    return fields


def together(module: ModuleType, configs: Sequence[Any], parallel: int = 1) -> list[tuple[Any, ...]]:
    """The configs in batches, in their order, for `parallel` workers to share.

    Batches of the same kind differ in size by one at most, so that a program is compiled for few sizes.
    """
    return [tuple(configs[index] for index in batch) for batch in batches(module, configs, parallel)]


def batches(module: ModuleType, configs: Sequence[Any], parallel: int = 1) -> list[Sequence[int]]:
    """`together`, as places in the sequence of configs."""
    fields = batched_fields(module)
    if not fields:
        return [(index,) for index in range(len(configs))]
    rest = [field.name for field in dataclasses.fields(module.Config) if field.name not in fields]
    groups: dict[str | bytes, list[int]] = {}
    for index, config in enumerate(configs):
        groups.setdefault(exactly(tuple(getattr(config, name) for name in rest)), []).append(index)
    found = []
    for group in groups.values():
        shares = SHARES * parallel if parallel > 1 else 1
        count = ceil(len(group) / min(getattr(module, "BATCH", BATCH), ceil(len(group) / shares)))
        ends = [len(group) * i // count for i in range(count + 1)]
        found += [group[a:b] for a, b in pairwise(ends)]
    return found


def run_batch(module: ModuleType, configs: Sequence[Any], scratches: Sequence[Path]) -> list[Any]:
    """What `run` would return for each config, computed together."""
    found = module.run_batch(tuple(configs), tuple(scratches), Progress(disable=True))
    if not isinstance(found, list | tuple) or len(found) != len(configs):
        size = len(found) if hasattr(found, "__len__") else type(found).__name__
        raise InvalidInput(f"run_batch of {module.__name__} must return tables for {len(configs)} configs, not {size}")
    return list(found)
