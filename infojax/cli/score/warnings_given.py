"""The warnings that a command gives, kept for its record."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infojax.data import readable
from infojax.errors import DataWarning, PrecisionWarning


@contextmanager
def remembered(said: list[str]) -> Iterator[None]:
    """Adds each `DataWarning` and `PrecisionWarning` that is given meanwhile to a list; they are shown as well."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def also(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if issubclass(category, DataWarning | PrecisionWarning):
                said.append(readable(str(message)))
            show(message, category, *where)

        warnings.showwarning = also
        yield
