"""Experiments by name: list them, load one, run it unless its result is stored."""

import ast
import importlib
import importlib.util
import time
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.progress import Progress

from infojax.errors import InvalidInput
from infojax.sweeps.store import Result, Store, remove_scratch


def summaries(package: str) -> dict[str, str]:
    """Every module of a package and the first line of its docstring, without importing any.

    Modules whose names begin with an underscore don't count.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InvalidInput(f"there is no package {package!r} here; run from the folder of a clone of infojax")
    folders = [Path(folder) for folder in spec.submodule_search_locations]
    files = sorted(file for folder in folders for file in folder.glob("[!_]*.py"))
    return {file.stem: _first_line(file) for file in files}


def load_module(package: str, name: str, needs: tuple[str, ...]) -> ModuleType:
    """The module `package.name`. Raises InvalidInput where it, or one of the names in `needs`, is missing."""
    known = summaries(package)
    if name not in known:
        raise InvalidInput(f"there is no {name!r} in {package}; there are: {', '.join(known) or 'none'}")
    module = importlib.import_module(f"{package}.{name}")
    missing = [need for need in needs if not hasattr(module, need)]
    if missing:
        raise InvalidInput(f"{package}/{name}.py must define {', '.join(needs)}; it lacks {', '.join(missing)}")
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
    store: Store,
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
        progress: shows what is being computed; None is silent.
        again: compute even if a result is stored, and replace it.
        any_code: take a stored result that an earlier version of the code computed.

    An interrupted run keeps what it wrote to its scratch folder; the next run of the same config goes on from
    there. Raises InvalidInput for an unknown experiment or preset and for a store that cannot be written.
    """
    module = load_experiment(name, package)
    config = _config(module, name, config)
    stored = None if again else store.read(name, config, any_code=any_code)
    if stored is not None:
        return stored

    scratch = store.scratch(name, config)
    try:
        scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"results cannot be written to {store.root} ({error}); choose another") from error
    resumed = any(scratch.iterdir())
    started, clock = datetime.now(UTC), time.perf_counter()
    try:
        tables = module.run(config, scratch, progress or Progress(disable=True))
    except KeyboardInterrupt as interrupt:
        kept = "partial work is kept" if any(scratch.iterdir()) else "nothing was finished yet"
        interrupt.add_note(f"{name}: {kept} ({scratch}); the same command goes on from there")
        raise
    seconds = time.perf_counter() - clock
    result = store.write(name, config, tables, started=started, seconds=round(seconds, 3), resumed=resumed)
    remove_scratch(scratch)
    return result


def _config(module: ModuleType, name: str, config: Any) -> Any:
    if isinstance(config, str):
        if config not in module.PRESETS:
            raise InvalidInput(f"experiment {name!r} has no preset {config!r}; it has {', '.join(module.PRESETS)}")
        return module.PRESETS[config]
    if not isinstance(config, module.Config):
        raise InvalidInput(f"experiment {name!r} takes its own Config, not {config!r}")
    return config


def _first_line(file: Path) -> str:
    return (ast.get_docstring(ast.parse(file.read_bytes())) or "").partition("\n")[0]
