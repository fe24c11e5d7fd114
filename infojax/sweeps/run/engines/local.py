"""The engine of one machine: in this process, or in processes beside it that are replaced when they die."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from infojax.errors import InvalidInput
from infojax.sweeps.run.engines.side_by_side import side_by_side
from infojax.sweeps.run.unit import Outcome, Unit
from infojax.sweeps.run.worker import after_death, work
from infojax.sweeps.store.addresses.code_version import pinned

MOST = 1024
_LOADED = contextlib.ExitStack()  # the code that a process has loaded, whatever happens to its files


@dataclass(frozen=True)
class Options:
    """How a sweep runs on this machine."""

    workers: int = 0
    """Processes that compute, each with its share of the cores, or with a GPU of its own; 0 computes in this one."""

    @property
    def parallel(self) -> int:
        """How many units run at once."""
        return max(self.workers, 1)


def check(options: Options) -> None:
    """Raises InvalidInput for a number of workers that is not allowed."""
    if not 0 <= options.workers <= MOST:
        raise InvalidInput(f"workers={options.workers} is not allowed; give 0, to compute in this process, to {MOST}")


def run(units: Sequence[Unit], options: Options) -> Iterator[list[Outcome]]:
    """Do the units, and yield what came of each as it comes."""
    check(options)
    if options.workers == 0 or not units:
        for unit in units:
            yield work(unit)
        return
    yield from side_by_side([_Doing(unit) for unit in units], options.workers, _died)


@dataclass(frozen=True)
class _Doing:
    """A unit as a process is given it."""

    unit: Unit

    def __call__(self, tell: Callable[[list[Outcome]], None]) -> None:
        from infojax.sweeps.run.task import do  # as in `work`

        _LOADED.enter_context(pinned(type(self.unit.configs[0]).__module__))
        tell(do(self.unit))


def _died(doing: _Doing, reason: str) -> tuple[list[_Doing], list[list[Outcome]]]:
    again, failed = after_death(doing.unit, reason)
    return [_Doing(unit) for unit in again], [failed] if failed else []
