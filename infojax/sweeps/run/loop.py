"""A sweep: what the store lacks of a design, computed by an engine.

The store decides what is done. So any engine, or several at once, go on with any sweep, and a sweep that was
interrupted goes on by being started again.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import numpy as np

from infojax.arrays import is_number
from infojax.errors import InvalidInput
from infojax.sweeps.run.engines import find
from infojax.sweeps.run.task import stored
from infojax.sweeps.run.unit import Outcome
from infojax.sweeps.run.workload import Plan, check_writable, plan
from infojax.sweeps.store.addresses.code_version import pinned
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.result_store import Store

POLL = 0.5  # seconds between two looks at what other sweeps compute


@dataclass
class Report:
    """What came of the configs of a sweep so far; at the end, of all of them."""

    plan: Plan
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Address → what came of it."""
    seconds: float = 0.0
    """Wall time since the store was looked through."""
    waiting: int = 0
    """How many configs other sweeps are at, while nothing else is left to do."""

    def count(self, state: str) -> int:
        """How many configs are `computed`, `found` or `failed`."""
        return sum(outcome.state == state for outcome in self.outcomes.values())

    def failed(self) -> list[Outcome]:
        """Those that failed."""
        return [outcome for outcome in self.outcomes.values() if outcome.state == "failed"]

    def complete(self) -> bool:
        """Whether the results of all configs are in the store."""
        return len(self.outcomes) == len(self.plan.configs) and not self.failed()


def sweep(
    experiment: str,
    configs: Any,
    *,
    results: str | os.PathLike[str] = Path("results"),
    package: str = "experiments",
    engine: str = "local",
    options: Mapping[str, Any] | None = None,
    retries: int = 0,
    fail_fast: bool = False,
    tell: Callable[[Report], None] | None = None,
) -> Report:
    """Compute what the store lacks of some configs of an experiment, and store it.

    Args:
        experiment: the module in `package`.
        configs: instances of its Config, such as `grid` and `random_design` make, as a list or anything that yields
            them; or one alone. Equal ones count once.
        results: the folder of the store. Any number of processes and machines may work on it at once.
        engine: "local", "ray" or "slurm".
        options: the engine's own, such as {"workers": 2} of "local" (infojax/sweeps/engines).
        retries: how often a config that failed is tried again.
        fail_fast: stop at the first failure rather than do what else can be done.
        tell: called with the report at the beginning and whenever something has come of a config.

    Returns:
        What came of each config. Failures are in it, and in `results/EXPERIMENT/.failed`, and not raised.

    Raises:
        InvalidInput: the experiment, a config, the engine, one of its options or the folder is not as it must be;
            nothing has run then.
    """
    if not isinstance(retries, int) or retries < 0:
        raise InvalidInput(f"retries={retries} is not allowed; give 0 or more")
    module = find(engine)
    chosen = _options(module, engine, options or {})
    module.check(chosen)
    return carry_out(plan(experiment, configs, results, package), module, chosen, retries, fail_fast, tell)


def carry_out(
    planned: Plan,
    engine: Any,
    options: Any,
    retries: int = 0,
    fail_fast: bool = False,
    tell: Callable[[Report], None] | None = None,
) -> Report:
    """`sweep`, of a plan, by an engine's module whose options were checked."""
    check_writable(planned.results)
    report, start, watch = Report(planned), time.perf_counter(), claims.Watch()
    report.outcomes = {at: Outcome(at, "found") for at in planned.configs if at in planned.found}

    def record(outcomes: Sequence[Outcome], waiting: int = 0) -> None:
        report.outcomes |= {outcome.address: outcome for outcome in outcomes}
        report.seconds, report.waiting = time.perf_counter() - start, waiting
        if tell is not None:
            tell(report)

    record([])
    missing, busy = planned.missing(), list[str]()
    try:
        with pinned(planned.module.__name__):
            while missing:
                units = planned.units(missing, options.parallel, retries)
                with closing(engine.run(units, options)) as running:
                    for outcomes in running:
                        busy += [outcome.address for outcome in outcomes if outcome.state == "busy"]
                        record([outcome for outcome in outcomes if outcome.state != "busy"])
                        if fail_fast and report.failed():
                            return report
                missing = _free(planned, busy, watch, record)
                busy = [at for at in busy if at not in missing and at not in report.outcomes]
    except KeyboardInterrupt as interrupt:
        kept = report.count("computed") + report.count("found")
        interrupt.add_note(f"{kept} of {len(planned.configs)} are stored; the same command goes on from there")
        raise
    return report


def _free(planned: Plan, busy: Sequence[str], watch: claims.Watch, record: Callable[..., None]) -> list[str]:
    """Wait for what others compute. Returns what nobody computes any more and nobody has stored."""
    where, store = claims.folder(planned.results, planned.experiment), Store(planned.results)
    waiting = list(busy)
    while waiting:
        released = {at for at in waiting if claims.holder(where, at, watch) is None}
        there = {at for at in released if stored(store, planned.experiment, planned.configs[at])}
        free = [at for at in waiting if at in released - there]
        waiting = [at for at in waiting if at not in released]
        record([Outcome(at, "found") for at in there], len(waiting))
        for at in free:
            # A claim may be stale only for who has watched it for a lease, as a worker that comes new to it has not.
            claim = claims.take(where, at, watch)
            if claim is not None:
                claim.release()
        if free:
            return free
        if waiting:
            time.sleep(POLL)
    return []


def _options(module: Any, engine: str, given: Mapping[str, Any]) -> Any:
    if not isinstance(given, Mapping):
        raise InvalidInput(f"options is {given!r:.100}; give a dict, such as {{'workers': 2}}")
    known = get_type_hints(module.Options)
    try:
        options = module.Options(**given)
    except TypeError as error:
        names = ", ".join(module.Options.__dataclass_fields__)
        listed = ", ".join(map(str, given))
        raise InvalidInput(f"options of the engine {engine!r} are {names}; given: {listed}") from error
    for name, value in given.items():
        if not _of_type(known[name], value):
            kind = getattr(known[name], "__name__", known[name])
            raise InvalidInput(f"the option {name} of the engine {engine!r} is {value!r:.100}; its type is {kind}")
    return options


def _of_type(kind: Any, value: Any) -> bool:
    if kind in (int, float):  # an integer will do for a float
        return is_number(value) and (kind is float or not isinstance(value, float | np.floating))
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    return isinstance(value, kind)
