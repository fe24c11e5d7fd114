"""Unit of work that an engine carries, and what came of each of its configs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

State = Literal["computed", "found", "failed", "busy"]


@dataclass(frozen=True)
class Unit:
    """Configs that one program computes together. Plain data: it can be pickled where `package` can be imported."""

    experiment: str
    package: str
    configs: tuple[Any, ...]
    addresses: tuple[str, ...]
    """Where the results of the configs belong (address.py), which holds the version of the code that is meant."""
    results: Path
    """The store's folder, absolute; every worker must see it."""
    retries: int = 0
    """How often a config that failed is tried again."""
    attempts: int = 0
    """How often these configs were tried before, by processes that died."""


@dataclass(frozen=True)
class Outcome:
    """What came of one config."""

    address: str
    state: State
    """computed now; found in the store; failed, `attempts` times; busy: another process computes it."""
    seconds: float = 0.0
    """Wall time; of configs computed together each has an equal share."""
    attempts: int = 0
    error: str | None = None
    """One line; the whole traceback is in the record of the failure."""
    batch_error: str | None = None
    """Why the batch that it belonged to had to be run one by one, in one line."""
    remark: str | None = None
    """What else is to be told, in one line."""
