"""`infojax results export EXPERIMENT`."""

import io
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from tyro.conf import FlagCreatePairsOff, Positional, arg

from infojax.cli.sweep.working_folder import import_from_here
from infojax.errors import DataWarning, InvalidInput, StorageFailed
from infojax.files import shown, write_whole
from infojax.sweeps import export as joined

Format = Literal["parquet", "csv", "jsonl"]
WRITERS: dict[str, Callable[[pl.DataFrame, Any], Any]] = {
    "parquet": lambda frame, stream: frame.write_parquet(stream),
    "csv": lambda frame, stream: flat_columns(frame).write_csv(stream),
    "jsonl": lambda frame, stream: frame.write_ndjson(stream),
}


def export(
    experiment: Annotated[str, Positional, arg(metavar="EXPERIMENT")],
    table: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None,
    out: Annotated[str, arg(metavar="FILE|FOLDER|-")] = "-",
    format: Format | None = None,
    where: Annotated[tuple[str, ...], arg(metavar="FIELD=VALUE ...", help_behavior_hint="")] = (),
    any_code: FlagCreatePairsOff[bool] = False,
    results: Annotated[Path, arg(help="The folder that results are stored in.")] = Path("results"),
    package: Annotated[str, arg(help="The experiments' package, whose code says what is current.")] = "experiments",
) -> None:
    """Join the results of an experiment into one tidy table: the rows of each, with the config that it came from.

    Fields of the config stand first; one whose name is also a column's is called config.NAME. Damaged results are
    refused: `infojax results verify --remove` sets them aside.

    For example `infojax results export ridge_law --where ridge=0.01 seed=0 seed=1 --out some.parquet`, or
    `infojax results export ridge_law > all.csv`, or `infojax results export coin --out folder/` for all tables.

    Args:
        experiment: Whose results.
        table: Which of its tables; needed where it has several, unless --out is a folder.
        out: A file ending in .parquet, .csv or .jsonl; a folder, for a file EXPERIMENT-TABLE for each table; - writes
            to stdout.
        format: The format where the name of a file does not say it: csv to stdout, parquet to a folder.
        where: FIELD=VALUE that the config must have, as many as you like; of several values for one field any.
        any_code: Also results of older code, told apart by the column `code`.
    """
    chosen = [_pair(text) for text in where]
    folder = out != "-" and (out.endswith("/") or Path(out).is_dir())
    kind = _format(out, format, folder)
    import_from_here()
    tables = joined(results, experiment, table=table, where=chosen, any_code=any_code, package=package)
    if not tables:
        raise InvalidInput(f"the results of {experiment} hold no tables")
    if len(tables) > 1 and not folder:
        raise InvalidInput(
            f"{experiment} has the tables {', '.join(tables)}; choose one by --table, or give --out FOLDER/"
        )
    for name, frame in tables.items():
        check_kind(frame, kind, name)
    if out == "-":
        (frame,) = tables.values()
        _to_stdout(frame, kind)
        return
    try:
        if folder:
            Path(out).mkdir(parents=True, exist_ok=True)
        for name, frame in tables.items():
            file = Path(out) / f"{experiment}-{name}.{kind}" if folder else Path(out)
            _write(frame, kind, file)
            print(shown(f"{frame.height:,} rows: {file}"), file=sys.stderr)
    except OSError as error:
        raise StorageFailed(f"--out {out} cannot be written ({error}); choose another") from error


def flat_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with lists and structs as JSON text, and durations as text, which CSV can hold."""
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    durations = [name for name, dtype in frame.schema.items() if dtype == pl.Duration]
    return frame.with_columns(
        *(_as_text(frame[name]) for name in nested), *(pl.col(name).dt.to_string("iso") for name in durations)
    )


def check_kind(frame: pl.DataFrame, kind: str, table: str) -> None:
    """Raises InvalidInput for a table that a kind of file cannot hold; warns of numbers that it holds as null.

    JSON has neither NaN nor infinity.
    """
    if kind == "parquet":
        return
    held = [name for name, dtype in frame.schema.items() if _holds(dtype, (pl.Binary, pl.Object))]
    if held:
        raise InvalidInput(
            f"the table {table} has bytes in {', '.join(map(repr, held))}, which a .{kind} file cannot hold; give "
            "--out FILE.parquet, or --format parquet"
        )
    lost = sum(_not_finite(frame[name]) for name in frame.columns) if kind == "jsonl" else 0
    if lost:
        warnings.warn(
            f"the table {table} has {lost:,} numbers that are NaN or infinite, which JSON has not: they become null. "
            "Parquet and CSV keep them",
            DataWarning,
            stacklevel=2,
        )


def _holds(dtype: Any, kinds: tuple[Any, ...]) -> bool:
    """Whether a type is one of some kinds, or a list or struct with one inside."""
    if isinstance(dtype, pl.List | pl.Array):
        return _holds(dtype.inner, kinds)
    if isinstance(dtype, pl.Struct):
        return any(_holds(field.dtype, kinds) for field in dtype.fields)
    return dtype in kinds


def _not_finite(column: pl.Series) -> int:
    """How many numbers of a column, in its lists and structs too, are NaN or infinite."""
    if isinstance(column.dtype, pl.List | pl.Array):
        return _not_finite(column.explode())
    if isinstance(column.dtype, pl.Struct):
        return sum(_not_finite(field) for field in column.struct.unnest())
    return int((~column.is_finite()).sum()) if column.dtype.is_float() else 0


def _as_text(column: pl.Series) -> pl.Series:
    texts = [None if value is None else json.dumps(value, default=str) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


def _pair(text: str) -> tuple[str, str]:
    field, sign, value = text.partition("=")
    if not sign or not field:
        raise InvalidInput(f"--where {text}: give FIELD=VALUE, as in --where seed=0")
    return field, value


def _format(out: str, given: Format | None, folder: bool) -> str:
    ending = Path(out).suffix[1:]
    if given is not None:
        return given
    if out == "-":
        return "csv"
    if folder:
        return "parquet"
    if ending not in WRITERS:
        raise InvalidInput(f"--out {out}: end it in .parquet, .csv or .jsonl, or in / for a folder, or give --format")
    return ending


def _to_stdout(frame: pl.DataFrame, kind: str) -> None:
    buffer = io.BytesIO()
    WRITERS[kind](frame, buffer)
    sys.stdout.buffer.write(buffer.getvalue())
    sys.stdout.flush()


def _write(frame: pl.DataFrame, kind: str, file: Path) -> None:
    write_whole(file, lambda stream: WRITERS[kind](frame, stream))
