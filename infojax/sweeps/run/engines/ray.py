"""The engine of a Ray cluster, or of one that is started on this machine for the sweep and stopped after it.

A unit is a task. Ray decides where it runs and shows it its own GPUs only; the store decides what it computes.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infojax.errors import InfojaxError, InvalidInput
from infojax.sweeps.run.engines.threads import bounded
from infojax.sweeps.run.unit import Outcome, Unit
from infojax.sweeps.run.worker import after_death, work

ANSWER = 5.0  # seconds that a port has to answer in
HEALTH = 30.0  # seconds that Ray has to connect to what answers
GRACE = 5.0  # seconds for interrupted tasks to keep what they can and to release their claims
CLUSTER = 64  # units in flight where the size of a cluster is not known beforehand
TRIAL = "import ray, sys; ray.init(sys.argv[1], log_to_driver=False, logging_level='ERROR')"
LOOPBACK = "127.0.0.1"
PORT = re.compile(r"[0-9]{1,5}")
STORE = 100 * 2**20  # bytes of Ray's memory for objects; units and outcomes are small


@dataclass(frozen=True)
class Options:
    """How a sweep runs on Ray."""

    address: str | None = None
    """Of a running cluster: HOST:PORT, ray://HOST:PORT, or auto. Not given: one is started here, and stopped after."""
    cpus_per_task: int = 1
    """Processor cores that a unit asks for, and the threads that it may start."""
    gpus_per_task: float = 0.0
    """GPUs that a unit asks for; it sees no others. Below 1, units share one."""
    in_flight: int = 0
    """Units that Ray is given at once; 0: as many as run at once here, 64 on a cluster."""

    @property
    def parallel(self) -> int:
        """How many units run at once."""
        here = max((os.cpu_count() or 1) // max(self.cpus_per_task, 1), 1)
        return self.in_flight or (here if self.address is None else CLUSTER)


def check(options: Options) -> None:
    """Raises InvalidInput for resources that make no sense and for a cluster that does not answer."""
    if options.cpus_per_task < 1 or options.gpus_per_task < 0 or options.in_flight < 0:
        raise InvalidInput(f"{options} is not allowed; give 1 CPU or more, and no number below 0")
    if options.address is None:
        if options.cpus_per_task > (os.cpu_count() or 1):
            raise InvalidInput(f"--cpus-per-task {options.cpus_per_task}: this machine has {os.cpu_count()} cores")
    else:
        _check_address(options.address)


def run(units: Sequence[Unit], options: Options) -> Iterator[list[Outcome]]:
    """Do the units on Ray, and yield what came of each as it comes."""
    check(options)
    with _connected(options) as ray:
        # A process that died is for `after_death`: Ray would not know how often a config may be tried.
        task = ray.remote(num_cpus=options.cpus_per_task, num_gpus=options.gpus_per_task, max_retries=0)(work)
        waiting, running = deque(units), dict[Any, Unit]()
        try:
            while waiting or running:
                while waiting and len(running) < options.parallel:
                    unit = waiting.popleft()
                    running[task.remote(unit)] = unit
                (done, *_), _ = ray.wait(list(running))
                outcomes, again = _answer(ray, done, running.pop(done))
                waiting.extend(again)
                if outcomes:
                    yield outcomes
        finally:
            _stop(ray, list(running))


def _answer(ray: Any, done: Any, unit: Unit) -> tuple[list[Outcome], list[Unit]]:
    """What came of a task, and what is to be done again."""
    try:
        return ray.get(done), []
    except ray.exceptions.RayTaskError as error:  # no config failed: those are outcomes
        cause = error.cause
        raise cause if isinstance(cause, InfojaxError) else RuntimeError(f"a task of Ray failed: {error}") from error
    except ray.exceptions.RayError as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        again, failed = after_death(unit, f"the process died ({type(error).__name__}: {reason})")
        return failed, again


def _stop(ray: Any, running: list[Any]) -> None:
    """Interrupt what still runs, so that it keeps what it can, and kill it when it takes too long."""
    if not running:
        return
    with contextlib.suppress(ray.exceptions.RayError):
        for task in running:
            ray.cancel(task)
        _, late = ray.wait(running, num_returns=len(running), timeout=GRACE)
        for task in late:
            ray.cancel(task, force=True)


@contextlib.contextmanager
def _connected(options: Options) -> Iterator[Any]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Whoever reaches a cluster can run anything on it: one of ours listens to this machine alone, and asks for a token.
    # Ray reads this when it is imported, and takes another address than the loopback's unless it is to be no cluster.
    if options.address is None and "ray" not in sys.modules:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    import ray

    if ray.is_initialized():  # by the program that sweeps, which will stop it too
        yield ray
        return
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "runtime_env": _environment(options)}
    if options.address is None:
        common |= {"include_dashboard": False, "object_store_memory": STORE, "num_cpus": os.cpu_count()}
        common["_node_ip_address"] = LOOPBACK
    try:
        ray.init(options.address or "local", **common)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        where = "could not be started here" if options.address is None else f"does not answer at {options.address}"
        raise InvalidInput(f"a Ray cluster {where}: {error}") from error
    with contextlib.suppress(OSError):  # where there is one: Ray lets everybody read it
        (Path.home() / ".ray" / "auth_token").chmod(0o600)
    try:
        yield ray
    finally:
        ray.shutdown()


def _environment(options: Options) -> dict[str, Any]:
    """Of the tasks. Without GPUs of its own a task must not take all that its machine has."""
    variables = bounded(options.cpus_per_task)
    if options.gpus_per_task == 0:
        variables["JAX_PLATFORMS"] = os.environ.get("JAX_PLATFORMS", "cpu")
    elif options.gpus_per_task < 1:
        variables["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 * options.gpus_per_task:.3f}"
    if sys.dont_write_bytecode:
        variables["PYTHONDONTWRITEBYTECODE"] = "1"
    return {"env_vars": variables}


def _check_address(address: str) -> None:
    remedy = "start the cluster (ray start --head), or leave --address out to start one here"
    if address != "auto":
        host, colon, port = address.removeprefix("ray://").rpartition(":")
        if not colon or not host or not PORT.fullmatch(port):
            raise InvalidInput(f"--address {address} is no address; give HOST:PORT, ray://HOST:PORT or auto")
        if host.startswith("[") and host.endswith("]"):  # of IPv6
            host = host[1:-1]
        try:
            socket.create_connection((host, int(port)), timeout=ANSWER).close()
        except UnicodeError:  # of labels that are empty or too long; it would say which codec
            raise InvalidInput(f"--address {address}: {host} is no name of a machine") from None
        except (OSError, OverflowError, ValueError) as error:
            raise InvalidInput(f"no Ray cluster answers at {address} ({error}); {remedy}") from None
    # Ray would wait for minutes for another service on that port, and then end the process: so another one tries.
    try:
        trial = [sys.executable, "-c", TRIAL, address]
        subprocess.run(trial, timeout=HEALTH, capture_output=True, text=True, check=True, encoding="utf-8")
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"what answers at {address} is no Ray cluster that works; {remedy}") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
        token = "where the cluster asks for a token, set RAY_AUTH_MODE=token"
        raise InvalidInput(f"Ray cannot connect to {address} ({said}); {token}; otherwise {remedy}") from None
