"""What a sweep has to do: which of its configs the store has, and which go together."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from infojax.errors import CorruptData, InvalidInput
from infojax.sweeps.run.batches import batched_fields, batches
from infojax.sweeps.run.stored_run import load_experiment
from infojax.sweeps.run.unit import Unit
from infojax.sweeps.store.addresses.addressed import Addressed, listed
from infojax.sweeps.store.addresses.code_version import code_version, pinned
from infojax.sweeps.store.addresses.plain import plain
from infojax.sweeps.store.file_system import probe
from infojax.sweeps.store.record import LENGTH, short_digest
from infojax.sweeps.store.result_store import Store

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and of how many."""


@dataclass(frozen=True)
class Plan:
    """The configs of a sweep, in their order and each once, and what is known of them."""

    experiment: str
    package: str
    module: ModuleType
    results: Path
    configs: Addressed
    """Address → config."""
    found: frozenset[str]
    """Addresses whose results are in the store, whole."""
    damaged: dict[str, str]
    """Addresses whose results are in the store, but damaged, and how; they are computed again."""

    def units(self, addresses: Sequence[str], parallel: int, retries: int) -> list[Unit]:
        """The configs at `addresses` as units, for `parallel` workers to share."""
        configs = [self.configs[at] for at in addresses]
        return [
            Unit(
                self.experiment,
                self.package,
                tuple(configs[place] for place in batch),
                tuple(addresses[place] for place in batch),
                self.results,
                retries,
            )
            for batch in batches(self.module, configs, parallel)
        ]

    def sizes(self, parallel: int) -> list[int]:
        """How many configs each unit of what is missing would have."""
        if not batched_fields(self.module):
            return [1] * (len(self.configs) - len(self.found))
        missing = [config for at, config in self.configs.items() if at not in self.found]
        return [len(batch) for batch in batches(self.module, missing, parallel)]

    def missing(self) -> list[str]:
        """Addresses that have to be computed."""
        return [at for at in self.configs if at not in self.found]


def plan(
    experiment: str,
    configs: Any,
    results: str | os.PathLike[str],
    package: str = "experiments",
    tell: Tell = lambda *_: None,
) -> Plan:
    """Look into the store for every config.

    Args:
        experiment: the module in `package`.
        configs: its Configs: a list, anything that yields them, or one alone.
        results: the folder of the store.
        package: where the experiment lies.
        tell: see `Tell`.

    Raises:
        InvalidInput: there is no such experiment, no config, or something else than one of its configs.
    """
    module, store = load_experiment(experiment, package), Store(results)
    store = Store(store.root.absolute())
    given = listed(configs, module.Config, experiment)
    with pinned(module.__name__):
        code, total = code_version(module.__name__), len(given)
        named = Addressed(given, code, lambda done: tell("configs planned", done, total))
        there = _there(store, experiment, named)
        states = {}
        with ThreadPoolExecutor(8) as threads:
            read = threads.map(lambda index: _state(store, experiment, named.configs[index]), there)
            for done, (index, state) in enumerate(zip(there, read, strict=True), 1):
                states[named.address(index)] = state
                tell("results checked", done, len(there))
    found = frozenset(at for at, state in states.items() if state is True)
    damaged = {at: state for at, state in states.items() if isinstance(state, str)}
    return Plan(experiment, package, module, store.root, named, found, damaged)


def check_writable(results: Path) -> None:
    """Raises InvalidInput for a results folder that cannot be made or written to, or whose file system cannot keep
    what is promised.
    """
    try:
        results.mkdir(parents=True, exist_ok=True)
        probe(results)
    except OSError as error:
        raise InvalidInput(f"results cannot be written to {results} ({error}); choose another") from error


def _there(store: Store, experiment: str, named: Addressed) -> Sequence[int]:
    """Those of the configs that the store has something of. The folder is listed once: most have nothing there."""
    try:
        names = {entry.name for entry in os.scandir(store.root / experiment) if entry.name.endswith(named.code)}
    except OSError:  # nothing is stored yet
        return []
    if not names:
        return []
    short = any(len(name) < LENGTH for name in names)  # as results were named until November 2026
    return [
        index
        for index, (at, config) in enumerate(named.items())
        if at in names or (short and f"{short_digest(plain(config))}-{named.code}" in names)
    ]


def _state(store: Store, experiment: str, config: Any) -> bool | str:
    try:
        return store.read(experiment, config) is not None
    except CorruptData as error:
        return str(error)
