"""What a sweep has to do: which of its configs the store has, and which go together."""

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from infojax.errors import CorruptData, InvalidInput
from infojax.sweeps.address import address
from infojax.sweeps.batches import together
from infojax.sweeps.code_version import pinned
from infojax.sweeps.run import load_experiment
from infojax.sweeps.store import Store
from infojax.sweeps.worker import Unit


@dataclass(frozen=True)
class Plan:
    """The configs of a sweep, in their order and each once, and what is known of them."""

    experiment: str
    package: str
    module: ModuleType
    results: Path
    configs: dict[str, Any]
    """Address → config."""
    found: frozenset[str]
    """Addresses whose results are in the store, whole."""
    damaged: dict[str, str]
    """Addresses whose results are in the store, but damaged, and how; they are computed again."""

    def units(self, addresses: Sequence[str], parallel: int, retries: int) -> list[Unit]:
        """The configs at `addresses` as units, for `parallel` workers to share."""
        batches = together(self.module, [self.configs[at] for at in addresses], parallel)
        common = (self.results, retries)
        return [
            Unit(self.experiment, self.package, batch, tuple(address(config) for config in batch), *common)
            for batch in batches
        ]

    def missing(self) -> list[str]:
        """Addresses that have to be computed."""
        return [at for at in self.configs if at not in self.found]


def plan(experiment: str, configs: Sequence[Any], results: Path, package: str = "experiments") -> Plan:
    """Look into the store for every config.

    Raises:
        InvalidInput: there is no such experiment, no config, or something else than one of its configs.
    """
    module = load_experiment(experiment, package)
    wrong = [config for config in configs if not isinstance(config, module.Config)]
    if wrong:
        raise InvalidInput(f"experiment {experiment!r} takes its own Config, not {wrong[0]!r}")
    if not configs:
        raise InvalidInput("a sweep needs at least one config")
    store = Store(results.absolute())
    with pinned(module.__name__), ThreadPoolExecutor(8) as threads:
        named = {address(config): config for config in configs}
        states = list(threads.map(lambda config: _state(store, experiment, config), named.values()))
    found = frozenset(at for at, state in zip(named, states, strict=True) if state is True)
    damaged = {at: state for at, state in zip(named, states, strict=True) if isinstance(state, str)}
    return Plan(experiment, package, module, results.absolute(), named, found, damaged)


def check_writable(results: Path) -> None:
    """Raises InvalidInput for a results folder that cannot be made or written to."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        handle, probe = tempfile.mkstemp(prefix=".writing-", dir=results)
        os.close(handle)
        os.unlink(probe)
    except OSError as error:
        raise InvalidInput(f"results cannot be written to {results} ({error}); choose another") from error


def _state(store: Store, experiment: str, config: Any) -> bool | str:
    try:
        return store.read(experiment, config) is not None
    except CorruptData as error:
        return str(error)
