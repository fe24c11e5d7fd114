"""A process of the local engine, seen from within: reads calls on stdin, and tells on what was stdout what they tell.

When stdin ends, the sweep is over or its process is gone, and so ends this one, through an interrupt if it is at work.
Ctrl-C, which the terminal sends to both, does the same.
"""

import _thread
import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import time
from typing import Any

from infojax.sweeps.run.engines.frames import ENDED, TOLD, receive, send

GRACE = 5.0  # seconds for an interrupted call to keep what it can and to release its claims


def main() -> None:
    """Work until stdin ends."""
    calls = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what an experiment prints must not get among the answers
    signal.signal(signal.SIGINT, _interrupt)
    waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_listen, args=(calls, waiting, busy), daemon=True).start()
    # An answer nobody reads any more, or an interrupt: the sweep is over, and says so itself.
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        send(answers, b"ready")
        while (message := waiting.get()) is not None:
            failure = pickle.dumps((ENDED, _failure(message, answers)))
            busy.clear()  # before the next call can come
            send(answers, failure)
        sys.exit(0)
    os._exit(130)


def _failure(message: bytes, answers: Any) -> Exception | None:
    """Do the call in a message, which tells on the pipe. Returns what it raised."""
    one_by_one = threading.Lock()  # a call may tell from several threads

    def tell(item: object) -> None:
        frame = pickle.dumps((TOLD, item))
        with one_by_one:
            send(answers, frame)

    try:
        pickle.loads(message)(tell)
    except BrokenPipeError:
        raise
    except Exception as error:
        import traceback

        from infojax.errors import InfojaxError

        return error if isinstance(error, InfojaxError) else RuntimeError(traceback.format_exc())
    return None


def _listen(calls: Any, waiting: Any, busy: threading.Event) -> None:
    try:
        while True:
            message = receive(calls)
            busy.set()
            waiting.put(message)
    except EOFError:
        waiting.put(None)
    if busy.is_set():
        _thread.interrupt_main()
        time.sleep(GRACE)
        os._exit(130)


def _interrupt(*_: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough, and the claims must be released undisturbed
    raise KeyboardInterrupt
