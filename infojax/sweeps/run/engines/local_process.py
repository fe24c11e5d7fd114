"""A process of the local engine, as the sweep sees it: started when first asked, and again after it died."""

import contextlib
import importlib.util
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from infojax.errors import InfojaxError
from infojax.sweeps.run.engines.frames import TOLD, receive, send
from infojax.sweeps.run.engines.threads import bounded

# Cores are chosen before anything is imported: NumPy and XLA count them once, and start as many threads.
PROGRAM = """
import json, os, sys
start = json.loads(sys.argv[1])
sys.path[:] = start["path"]
if start["cores"]: os.sched_setaffinity(0, start["cores"])
from infojax.sweeps.run.engines.local_worker import main
main()
"""
PATIENCE = 8.0  # seconds that a process has to end after it was told to


class Died(Exception):
    """The process ended in the middle of a call; the message says how."""


@dataclass(frozen=True)
class Share:
    """What one process may use: cores, where the system lets one choose, and variables of its environment."""

    cores: tuple[int, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


@dataclass
class Process:
    """One worker."""

    share: Share
    running: Any = None
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, call: Callable[[Callable[[Any], None]], None]) -> Iterator[Any]:
        """What a call tells, as it comes. Raises what the call raises, and Died when the process ended before it."""
        try:
            running = self.running or self._start()
            send(running.stdin, pickle.dumps(call))
            while (answer := pickle.loads(receive(running.stdout)))[0] == TOLD:
                yield answer[1]
        except (EOFError, OSError, ValueError) as error:  # ValueError: the pipe was closed by `stop`
            raise Died(self._buried()) from error
        if answer[1] is not None:
            raise answer[1]

    def stop(self) -> None:
        """Tell the process to end: at once when idle, else by an interrupt that keeps what it can."""
        with self.lock:
            self.stopped = True
            if self.running is not None:
                with contextlib.suppress(OSError):
                    self.running.stdin.close()

    def wait(self) -> None:
        """Until the process has ended; it is killed when it takes too long."""
        if self.running is not None:
            try:
                self.running.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.running.kill()
                self.running.wait()

    def close(self) -> None:
        """Let go of the pipe of an ended process, which nobody reads any more."""
        if self.running is not None:
            self.running.stdout.close()

    def _start(self) -> Any:
        start = json.dumps({"path": sys.path, "cores": self.share.cores})
        environment = os.environ | self.share.environment
        if sys.dont_write_bytecode:
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        with self.lock:
            if self.stopped:
                raise EOFError
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self.running = subprocess.Popen([sys.executable, "-c", PROGRAM, start], env=environment, **pipes)
        try:
            receive(self.running.stdout)  # that it is ready
        except EOFError:
            if self.running.wait() > 0 and not self.stopped:
                raise InfojaxError("a worker could not start; what it said stands above") from None
            raise
        return self.running

    def _buried(self) -> str:
        with self.lock:
            ended, self.running = self.running, self.running if self.stopped else None
        if ended is None:
            return "the process was stopped"
        with contextlib.suppress(OSError):
            ended.stdin.close()
        ended.stdout.close()
        code = ended.wait()
        return f"the process died (signal {-code})" if code < 0 else f"the process ended (exit code {code})"


def shares(workers: int) -> list[Share]:
    """What each of the processes may use of this machine, as equal as can be."""
    cores = _cores()
    count = len(cores) or os.cpu_count() or 1
    each = max(count // workers, 1)
    gpus = _gpus() if workers > 1 else []
    found = []
    for worker in range(workers):
        first = worker * each % count
        environment = bounded(each)
        if gpus:
            environment["CUDA_VISIBLE_DEVICES"] = gpus[worker % len(gpus)]
            if workers > len(gpus) and "XLA_PYTHON_CLIENT_MEM_FRACTION" not in os.environ:
                sharing = -(-workers // len(gpus))
                environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 / sharing:.3f}"
        found.append(Share(tuple(cores[first : first + each]), environment))
    return found


def at_once() -> int:
    """How many processes do not stand in each other's way: one for each GPU or TPU, or else one for each core."""
    if importlib.util.find_spec("libtpu") and "cpu" not in os.environ.get("JAX_PLATFORMS", ""):
        return 1  # the chips of a TPU belong to one process
    return len(_gpus()) or len(_cores()) or os.cpu_count() or 1


def _cores() -> list[int]:
    """The cores that this process may use; none where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _gpus() -> list[str]:
    """The GPUs that CUDA would show to this process, found without starting CUDA, which would take memory of them."""
    if "cpu" in os.environ.get("JAX_PLATFORMS", "") or shutil.which("nvidia-smi") is None:
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name.strip()]
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        listed = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=True, encoding="utf-8"
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return listed.split()
