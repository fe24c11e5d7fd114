"""The engine of a Slurm cluster, through submitit: units are the jobs of arrays. With `--local`, processes of here.

Logs, and what submitit hands to the jobs, lie in `results/EXPERIMENT/.jobs`, which the jobs must see too.
"""

import contextlib
import os
import re
import shutil
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infojax.errors import InvalidInput
from infojax.sweeps.run.engines.job_files import check_private, make_private, read_outcomes
from infojax.sweeps.run.engines.threads import bounded
from infojax.sweeps.run.unit import Outcome, Unit
from infojax.sweeps.run.worker import after_death, work

ARRAY = 1000  # jobs in one array: Slurm's usual limit
LATE = 15.0  # seconds that the result of a job on another machine may take to be seen here
POLL = 0.3  # seconds between two looks for results of jobs
TIME = re.compile(r"(?:([0-9]{1,7})-)?(?:([0-9]{1,7}):)?([0-9]{1,7})(?::([0-9][0-9]))?")


@dataclass(frozen=True)
class Options:
    """How a sweep runs on Slurm."""

    partition: str | None = None
    """Where to submit; not given: Slurm's default."""
    time: str = "60"
    """How long a job may take: MINUTES, HOURS:MINUTES:SECONDS or DAYS-HOURS:MINUTES:SECONDS."""
    mem: str | None = None
    """Memory of a job, such as 8GB; not given: Slurm's default."""
    cpus_per_task: int = 1
    """Processor cores of a job, and the threads that it may start."""
    gpus_per_task: int = 0
    """GPUs of a job; it sees no others."""
    max_jobs: int = 64
    """Jobs that may run at once; with --local as many as there are cores for, if not fewer."""
    slurm_setup: tuple[str, ...] = ()
    """Lines of shell that a job runs first, such as "module load cuda"."""
    local: bool = False
    """Run the jobs as processes of this machine, without Slurm."""

    @property
    def parallel(self) -> int:
        """How many units run at once."""
        here = max((os.cpu_count() or 1) // max(self.cpus_per_task, 1), 1)
        return min(self.max_jobs, here) if self.local else self.max_jobs


def check(options: Options) -> None:
    """Raises InvalidInput for options that make no sense and where there is no Slurm."""
    if options.cpus_per_task < 1 or options.gpus_per_task < 0 or options.max_jobs < 1:
        raise InvalidInput(f"{options} is not allowed; give 1 CPU and 1 job or more, and no number below 0")
    minutes(options.time)
    if options.mem is not None and not re.fullmatch(r"\d+(\.\d+)?\s*[KMGT]?B?", options.mem, re.IGNORECASE):
        raise InvalidInput(f"--mem {options.mem} is no amount of memory; give one such as 8GB")
    if not options.local and shutil.which("sbatch") is None:
        raise InvalidInput("there is no sbatch on this machine; run on a login node of the cluster, or give --local")


def minutes(text: str) -> int:
    """Slurm's words for a time, in minutes, rounded up.

    >>> minutes("90"), minutes("1:30:00"), minutes("1-02:00:30")
    (90, 90, 1561)
    """
    found = TIME.fullmatch(text)
    if not found or (":" in text) != bool(found[2] and found[4]) or (found[1] and not found[2]):
        raise InvalidInput(
            f"--time {text} is no time; give MINUTES, HOURS:MINUTES:SECONDS or DAYS-HOURS:MINUTES:SECONDS"
        )
    days, hours, rest, seconds = (int(part or 0) for part in found.groups())
    total = (days * 24 + hours) * 60 + rest + (seconds > 0)
    if total == 0:
        raise InvalidInput(f"--time {text} leaves no time; give a minute or more")
    return total


def run(units: Sequence[Unit], options: Options) -> Iterator[list[Outcome]]:
    """Do the units as jobs, and yield what came of each as it comes."""
    check(options)
    waiting, running = deque(units), list[tuple[Any, Unit]]()
    executor = _executor(units[0].results / units[0].experiment / ".jobs", options) if units else None
    try:
        while waiting or running:
            room = options.parallel - len(running) if options.local else ARRAY * (not running)
            batch = [waiting.popleft() for _ in range(min(room, len(waiting)))]
            running += zip(_submit(executor, batch, options), batch, strict=True)
            over = [pair for pair in running if pair[0].done()]
            for job, unit in over:
                running.remove((job, unit))
                outcomes, again = _answer(job, unit, options)
                waiting.extend(again)
                if outcomes:
                    yield outcomes
            if not over:
                time.sleep(POLL)
    finally:
        for job, _ in running:
            job.cancel(check=False)


def _executor(folder: Path, options: Options) -> Any:
    import submitit

    make_private(folder)
    executor = submitit.AutoExecutor(folder=folder, cluster="local" if options.local else "slurm")
    common = {"timeout_min": minutes(options.time), "cpus_per_task": options.cpus_per_task, "name": "infojax"}
    setup = list(options.slurm_setup)
    if options.local:
        executor.update_parameters(**common, gpus_per_node=options.gpus_per_task, local_setup=setup)
        return executor
    slurm: dict[str, Any] = {"partition": options.partition, "mem": options.mem, "setup": setup or None}
    slurm |= {"array_parallelism": options.max_jobs, "gpus_per_node": options.gpus_per_task or None}
    named = {f"slurm_{name}": value for name, value in slurm.items() if value is not None}
    executor.update_parameters(**common, **named)
    return executor


def _submit(executor: Any, batch: list[Unit], options: Options) -> list[Any]:
    if not batch:
        return []
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    try:
        with _environment(options), executor.batch():
            return [executor.submit(work, unit) for unit in batch]
    except (FailedJobError, FailedSubmissionError) as error:
        raise InvalidInput(f"Slurm refused the jobs: {error}") from error


def _answer(job: Any, unit: Unit, options: Options) -> tuple[list[Outcome], list[Unit]]:
    """What came of a job, and what is to be done again."""
    file = Path(job.paths.result_pickle)
    check_private(file.parent)
    # Another machine's file may come late; one of this machine is there or never will be.
    until = time.monotonic() + (0.0 if options.local else LATE)
    while not file.exists() and time.monotonic() < until:
        with contextlib.suppress(OSError):
            os.utime(file.parent)  # so that a network file system looks again
        time.sleep(POLL)
    with contextlib.suppress(FileNotFoundError, EOFError):
        succeeded, found = read_outcomes(file)
        if not succeeded:  # no config failed: those are outcomes
            raise RuntimeError(f"a job of Slurm failed: {found}")
        return found, []
    again, failed = after_death(unit, f"the job {job.job_id} died ({job.state}); see {job.paths.stderr}")
    return failed, again


@contextlib.contextmanager
def _environment(options: Options) -> Iterator[None]:
    """What jobs inherit while they are submitted: bounds of threads, and where to find the experiments."""
    paths = [os.path.abspath(path) for path in sys.path if not os.path.abspath(path).startswith(sys.base_prefix)]
    variables = bounded(options.cpus_per_task) | {"PYTHONPATH": os.pathsep.join(paths)}
    if options.gpus_per_task == 0:
        variables["JAX_PLATFORMS"] = os.environ.get("JAX_PLATFORMS", "cpu")
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
