"""Running an experiment and storing what it returns, for a process that holds the claim on it."""

import time
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.progress import Progress

from infojax.errors import InvalidInput
from infojax.sweeps.store import failures
from infojax.sweeps.store.claims.claim import Claim
from infojax.sweeps.store.result_store import Result, Store, make_scratch, remove_scratch


def compute(
    module: ModuleType, name: str, config: Any, store: Store, claim: Claim, progress: Progress | None = None
) -> Result:
    """Run one config and store its result. An interrupted run resumes from its scratch folder."""
    scratch, resumed = scratch_of(name, config, store)
    started, clock, asked = datetime.now(UTC), time.perf_counter(), store.folder(name, config)
    try:
        tables = module.run(config, scratch, progress or Progress(disable=True))
    except KeyboardInterrupt as interrupt:
        kept = "partial work is kept" if any(scratch.iterdir()) else "nothing was finished yet"
        interrupt.add_note(f"{name}: {kept} ({scratch}); the same command goes on from there")
        raise
    if store.folder(name, config) != asked:  # else the result would be filed under another question
        raise InvalidInput(f"run() of experiment {name!r} has changed its config; make Config a frozen dataclass")
    return keep(name, config, store, claim, tables, started, time.perf_counter() - clock, resumed)


def scratch_of(name: str, config: Any, store: Store) -> tuple[Path, bool]:
    """The scratch folder of a config, and whether an interrupted run left something in it.

    Raises:
        InvalidInput: it cannot be made.
    """
    scratch = store.scratch(name, config)
    try:
        return scratch, make_scratch(scratch)
    except OSError as error:
        raise InvalidInput(f"results cannot be written to {store.root} ({error}); choose another") from error


def keep(
    name: str,
    config: Any,
    store: Store,
    claim: Claim,
    tables: Any,
    started: datetime,
    seconds: float,
    resumed: bool,
) -> Result:
    """Store a result, unless the claim was lost and who took it over has stored it already."""
    result = None if claim.held() else store.read(name, config)
    if result is None:
        result = store.write(name, config, tables, started=started, seconds=round(seconds, 3), resumed=resumed)
    remove_scratch(store.scratch(name, config))
    failures.forget(store.root, name, result.folder.name)
    return result
