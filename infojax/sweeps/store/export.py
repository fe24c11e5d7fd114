"""Results as one tidy table: the rows of all, each with the config that it came from."""

import contextlib
import difflib
import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from infojax.errors import DataWarning, InvalidInput
from infojax.sweeps.store.flat import flat, matches
from infojax.sweeps.store.inventory import Entry, entries, present_code
from infojax.sweeps.store.record import is_table, table_of
from infojax.sweeps.store.result_store import Store, read_table

WHOLE = 2**63  # integers beyond are written as text


def export(
    root: str | os.PathLike[str],
    experiment: str,
    *,
    table: str | None = None,
    where: Iterable[tuple[str, Any]] | Mapping[str, Any] = (),
    any_code: bool = False,
    package: str = "experiments",
) -> dict[str, pl.DataFrame]:
    """The tables of every result of an experiment, by name, the rows of all configs below each other.

    Fields of the config stand before the table's columns; one whose name is also a column's is called `config.NAME`.
    Fields within a field are called `field.inner`; a field that is a list, or of several types, is JSON text.

    Args:
        table: only this one.
        where: (field, value) that the config must have. Of several values for one field, any.
        any_code: results of every version of the code, told apart by the column `code`.
        package: where the experiment's code lies, which says what the present version is.

    Warns (DataWarning) of results that are left out because other versions of the code made them.

    Raises:
        InvalidInput: there are no such results, fields or tables, or the present code is not here.
        CorruptData: a result is damaged.
    """
    root, where = Store(root).root, _pairs(where)
    chosen = _chosen(root, experiment, where, any_code, package)
    names = list(dict.fromkeys(table_of(file) for entry in chosen for file in entry.record["files"] if is_table(file)))
    if table is not None and table not in names:
        raise InvalidInput(
            f"the results of {experiment} have no table {table!r}; they have {', '.join(names) or 'none'}"
        )
    return {name: _joined(name, chosen, any_code) for name in ([table] if table else names)}


def _chosen(root: Path, experiment: str, where: Sequence[tuple[str, str]], any_code: bool, package: str) -> list[Entry]:
    found = [entry for entry in entries(root, experiment) if entry.state in ("stored", "damaged")]
    code = present_code(experiment, package)
    if code is None and not any_code:
        raise InvalidInput(
            f"there is no {package}/{experiment}.py here, so which results are of its present code cannot be told; run "
            "from the folder that holds it, name its --package, or give --any-code"
        )
    present = [entry for entry in found if any_code or entry.address.endswith(str(code))]
    for entry in present:
        if entry.state == "damaged":
            raise InvalidInput(f"{entry.words}; `infojax results verify --remove` sets aside all that are damaged")
    known = sorted({field for entry in present for field in flat(entry.config)})
    for field, _ in where:
        if present and field not in known:
            near = difflib.get_close_matches(field, known, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise InvalidInput(f"--where {field}: the config has no such field; {meant}It has {', '.join(known)}")
    chosen = [entry for entry in present if matches(flat(entry.config), where)]
    if not chosen:
        total = f"{len(found)} results of {experiment}, {len(present)} of them of the present code"
        remedy = "ask for less by --where" if present else "give --any-code, or run it"
        raise InvalidInput(f"no result is left of the {total}; {remedy}")
    left = sum(matches(flat(entry.config), where) for entry in found) - len(chosen)
    if left:
        warnings.warn(
            f"{left:,} results of {experiment} are left out, as other versions of its code made them; "
            "--any-code (any_code=True) adds them, told apart by a column `code`",
            DataWarning,
            stacklevel=3,
        )
    return chosen


def _pairs(where: Iterable[tuple[str, Any]] | Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = list(where.items() if isinstance(where, Mapping) else where)
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
        raise InvalidInput(f"where is pairs of field and value, not {pairs!r:.200}")
    return [(str(field), str(value)) for field, value in pairs]


def _joined(name: str, chosen: list[Entry], with_code: bool) -> pl.DataFrame:
    frames, configs = [], []
    for entry in chosen:
        with contextlib.suppress(FileNotFoundError):  # removed since it was listed
            frame = read_table(entry.folder, entry.record, name)
            if frame is None:
                continue
            frames.append(frame)
            configs.append(({"code": entry.record["code"]} if with_code else {}) | flat(entry.config))
    try:
        rows = pl.concat(frames, how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise InvalidInput(
            f"the tables {name!r} of these results have columns of different kinds ({error}); choose some by --where"
        ) from error
    fields = list(dict.fromkeys(field for config in configs for field in config))
    repeated = np.repeat(np.arange(len(frames)), [frame.height for frame in frames])
    columns = [_column(_free(field, rows.columns), [config.get(field) for config in configs]) for field in fields]
    return pl.DataFrame(columns)[repeated].hstack(rows)


def _free(field: str, taken: list[str]) -> str:
    while field in taken:
        field = f"config.{field}"
    return field


def _column(name: str, values: list[Any]) -> pl.Series:
    """A column of one type: numbers, truth values or text where all are, otherwise the JSON text of each."""
    kinds = {type(value) for value in values if value is not None}
    small = all(abs(value) < WHOLE for value in values if type(value) is int)
    for kind, dtype in ((bool, pl.Boolean), (str, pl.String), (int, pl.Int64)):
        if kinds == {kind} and small:
            return pl.Series(name, values, dtype=dtype)
    if kinds <= {int, float} and small:
        return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)
    return pl.Series(name, [None if value is None else json.dumps(value) for value in values], dtype=pl.String)
