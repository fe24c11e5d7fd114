"""Experiments by name: list them, load one, run it unless its result is stored."""

import importlib
import os
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.progress import Progress

from infojax.errors import InvalidInput
from infojax.sweeps.run.compute import compute
from infojax.sweeps.store.addresses.address import address
from infojax.sweeps.store.addresses.code_version import pinned
from infojax.sweeps.store.addresses.experiments import hides, module_named, summaries
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.result_store import Result, Store

POLL = 0.2  # seconds between two looks at another's claim


def load_module(package: str, name: str, needs: tuple[str, ...]) -> ModuleType:
    """The module of an experiment or figure. InvalidInput where it, or one of the names in `needs`, is missing."""
    found = module_named(name, package)
    if found is None:
        known, hidden = ", ".join(summaries(package)) or "none", f". {said}" if (said := hides(package)) else ""
        raise InvalidInput(f"there is no {name!r} in {package}; there are: {known}{hidden}")
    module = importlib.import_module(found)
    missing = [need for need in needs if not hasattr(module, need)]
    if missing:
        raise InvalidInput(
            f"{found.replace('.', '/')}.py must define {', '.join(needs)}; it lacks {', '.join(missing)}"
        )
    return module


def load_experiment(name: str, package: str = "experiments") -> ModuleType:
    """The module of an experiment: its Config, its PRESETS (`quick` and `paper`) and its run."""
    module = load_module(package, name, ("Config", "PRESETS", "run"))
    presets = module.PRESETS
    configs = all(isinstance(config, module.Config) for config in presets.values())
    if not configs or not {"quick", "paper"} <= set(presets):
        raise InvalidInput(f"PRESETS of experiment {name!r} must map 'quick' and 'paper' to its Configs")
    if module.Config.__module__ != module.__name__:
        # A result is filed under the code of the module that its Config comes from.
        raise InvalidInput(f"experiment {name!r} must define its own Config, not import one")
    return module


def run_stored(
    name: str,
    config: Any,
    store: Store | str | os.PathLike[str],
    progress: Progress | None = None,
    *,
    package: str = "experiments",
    again: bool = False,
    any_code: bool = False,
) -> Result:
    """The result of an experiment: from the store, or computed now and stored.

    Args:
        name: the module in `package`.
        config: the name of a preset, or an instance of the experiment's Config.
        store: where results are kept, or the path of its folder.
        progress: shows what is being computed; None is silent.
        again: compute even if a result is stored, and replace it.
        any_code: take a stored result that an earlier version of the code computed.

    An interrupted run keeps what it wrote to its scratch folder; the next run of the same config goes on from
    there. While another process computes the same config, this one waits for its result. Raises InvalidInput for an
    unknown experiment or preset and for a store that cannot be written.
    """
    module = load_experiment(name, package)
    config = _config(module, name, config)
    store = store if isinstance(store, Store) else Store(Path(store))
    watch = claims.Watch()
    with pinned(module.__name__):
        while True:
            stored = None if again else store.read(name, config, any_code=any_code)
            if stored is not None:
                return stored
            claim = claims.take(claims.folder(store.root, name), address(config), watch)
            if claim is not None:
                break
            _wait(name, config, store, watch, progress)
        try:
            # Who held the claim until now may have stored the result between our look and our claim.
            stored = None if again else store.read(name, config)
            return stored or compute(module, name, config, store, claim, progress)
        finally:
            claim.release()


def _wait(name: str, config: Any, store: Store, watch: claims.Watch, progress: Progress | None) -> None:
    """Until nobody computes the config any more."""
    task = None
    while (other := claims.holder(claims.folder(store.root, name), address(config), watch)) is not None:
        if progress and task is None:
            who = f"process {other.get('pid', '?')} on {str(other.get('host', '?')).partition('/')[0]}"
            task = progress.add_task(f"{name}: {who} computes this; waiting for it", total=None)
        time.sleep(POLL)
    if progress and task is not None:
        progress.remove_task(task)


def _config(module: ModuleType, name: str, config: Any) -> Any:
    if isinstance(config, str):
        if config not in module.PRESETS:
            raise InvalidInput(f"experiment {name!r} has no preset {config!r}; it has {', '.join(module.PRESETS)}")
        return module.PRESETS[config]
    if not isinstance(config, module.Config):
        raise InvalidInput(f"experiment {name!r} takes its own Config, not {config!r:.200}")
    return config
