"""How commands end: a message for an error that infojax raised on purpose, a traceback for any other.

Warnings that infojax gives on purpose are shown while the command runs, a line each.
"""

import io
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from infojax.arrays import devices_missing
from infojax.errors import DataWarning, InfojaxError, PrecisionWarning, StorageWarning

REFUSED = 2
INTERRUPTED = 130


def exit_code(command: Callable[[], int | None]) -> int:
    """Run a command and return the exit code: its own (None is 0), 2 after an InfojaxError, 130 after Ctrl-C.

    Output that goes to `| head`, which has seen enough, is no error. With INFOJAX_TRACEBACK=1 in the
    environment, errors keep their traceback.
    """
    sys.excepthook = _traceback
    for stream in (sys.stdout, sys.stderr):
        # In a locale that has no such letters, others stand for them: no message is lost for a letter.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings_as_lines():
            code = command() or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Python would complain when it closes what it could not write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except InfojaxError as error:
        if os.environ.get("INFOJAX_TRACEBACK") == "1":
            raise
        complain(str(error))
        return REFUSED
    except (AssertionError, RuntimeError):
        # JAX says no more than this where JAX_PLATFORMS names what is not there.
        if os.environ.get("INFOJAX_TRACEBACK") == "1" or "jax" not in sys.modules or not (said := devices_missing()):
            raise
        complain(said)
        return REFUSED
    except KeyboardInterrupt as interrupt:
        kept = getattr(interrupt, "__notes__", None) or ["files that were finished are whole, nothing else was kept"]
        complain(f"interrupted. {'; '.join(kept)}")
        return INTERRUPTED


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Within this context a warning that infojax gives on purpose is a line on stderr, each time that it is given."""
    with warnings.catch_warnings():
        warnings.showwarning = _shown(warnings.showwarning)
        for category in (DataWarning, PrecisionWarning, StorageWarning):
            warnings.simplefilter("always", category)
        yield


def complain(message: str) -> None:
    """A message on stderr in red, in lines of its own making only; plain where stderr is no terminal."""
    _say(f"error: {message}", "bold red")


def _traceback(*error: Any) -> None:
    from infojax.files import shown

    sys.stderr.write(shown("".join(traceback.format_exception(*error))))


def _shown(otherwise: Callable[..., Any]) -> Callable[..., Any]:
    def show(message: Warning | str, category: type[Warning], *where: Any) -> None:
        if issubclass(category, DataWarning | PrecisionWarning | StorageWarning):
            _say(f"warning: {message}", "yellow")
        else:
            otherwise(message, category, *where)

    return show


def _say(message: str, style: str) -> None:
    from rich.text import Text

    from infojax.files import Console

    Console(file=sys.stderr, soft_wrap=True, highlight=False).print(Text(message, style=style))
