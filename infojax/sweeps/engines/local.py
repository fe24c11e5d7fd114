"""The engine of one machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infojax.errors import InvalidInput
from infojax.sweeps.worker import Outcome, Unit, work


@dataclass(frozen=True)
class Options:
    """How a sweep runs on this machine."""

    workers: int = 0
    """Processes beside this one that compute, each with its share of the cores or a GPU; 0 computes in this one."""

    @property
    def parallel(self) -> int:
        return max(self.workers, 1)


def check(options: Options) -> None:
    """Raises InvalidInput for a number of workers below 0."""
    if options.workers < 0:
        raise InvalidInput(f"workers={options.workers} is not allowed; give 0, to compute in this process, or more")


def run(units: Sequence[Unit], options: Options) -> Iterator[list[Outcome]]:
    """Do the units, and yield what came of each."""
    for unit in units:
        yield work(unit)
