"""The errors that infojax raises: each says what was given, what is allowed, and what to do. The warnings that it
gives: each says what was changed or lost on the way, and how to keep it.

All derive from `InfojaxError`, and from the built-in error that a caller would expect, so both
`except InfojaxError` and `except ValueError` work. The command line prints them without a traceback.
"""

import re

# How NumPy and JAX write a single number or text: the type around it says nothing to who reads a message.
_TEXT = r"'[^']*'|\"[^\"]*\""
_SCALAR = re.compile(rf"\b(?:np|numpy|jnp)\.(?:bool|str|bytes|u?int|float|longdouble|bfloat)\w*\(({_TEXT}|[^()'\"]*)\)")
_ARRAY = re.compile(r"\bArray\(([^,()\[\]]+), dtype=[^()]*\)")
_TRUTH = re.compile(r"\bnp\.(True|False)_")


class _Plain:
    """Messages with numbers as numbers: 2.0, and not np.float64(2.0), wherever they stand in what is shown."""

    def __str__(self) -> str:
        plain = _SCALAR.sub(r"\1", super().__str__())
        return _TRUTH.sub(r"\1", _ARRAY.sub(r"\1", plain))


class InfojaxError(_Plain, Exception):
    """Base of every error that infojax raises on purpose."""


class InvalidInput(InfojaxError, ValueError):
    """An argument has a value, a shape or a type that the computation is not defined for."""


class DataNotFound(InfojaxError, FileNotFoundError):
    """A data set is not on this machine; the message says where it was looked for and what brings it."""


class CorruptData(InfojaxError, ValueError):
    """A file is there, but truncated, not of its format, or not what its pinned checksum says."""


class OverBudget(InfojaxError, MemoryError):
    """A computation would need more memory than it may use; the message says how much and what to change."""


class IncompatibleVersion(InfojaxError, ImportError):
    """An installed library cannot do what infojax needs of it; the message names the versions."""


class StorageFailed(InfojaxError, OSError):
    """A file could not be written, for want of space or of permission; what was finished before is kept."""


class HostsMissing(InfojaxError, TimeoutError):
    """Other processes of a computation on several hosts were waited for in vain."""


class DataWarning(_Plain, UserWarning):
    """Part of what was given was left out, or changed on the way in; the message counts it and says why."""


class PrecisionWarning(_Plain, UserWarning):
    """A result has fewer right digits than its dtype holds; the message says how many, and how to get them."""


class StorageWarning(_Plain, UserWarning):
    """What is written may not last as long as is promised elsewhere; the message says when it would be lost."""
