"""A design in a file: one config a row, its columns fields, as CSV, JSON lines or Parquet."""

import io
import json
from pathlib import Path
from typing import Any

from infojax.errors import CorruptData, InvalidInput
from infojax.sweeps.designs.fields import annotation, from_python, from_text

ENDINGS = (".csv", ".jsonl", ".ndjson", ".json", ".parquet")


def read_rows(file: Path | str, config: Any) -> list[dict[str, Any]]:
    """The rows of a file as field → typed value.

    A field that a row lacks stays as it is in `config`; so does an empty cell of CSV and a null of Parquet.

    Args:
        file: CSV with a header, JSON lines or a JSON list of objects, or Parquet, told by its ending.
        config: an instance of the experiment's Config.

    Raises:
        InvalidInput: no such file, another ending, no rows, unknown fields, and values of another type.
        CorruptData: the file is not what its ending says.
    """
    file = Path(file)
    if file.suffix.lower() not in ENDINGS:
        raise InvalidInput(f"{file} is no list of configs; its name must end in {', '.join(ENDINGS)}")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read ({error}); give another file") from error
    rows = _parse(file, data)
    if not rows:
        raise InvalidInput(f"{file} has no rows; give a config in each")
    return [_typed(file, number, row, config) for number, row in enumerate(rows, 1)]


def _parse(file: Path, data: bytes) -> list[dict[str, Any]]:
    import polars as pl

    ending = file.suffix.lower()
    try:
        if ending == ".csv":
            return _without_nulls(pl.read_csv(io.BytesIO(data), infer_schema=False))
        if ending == ".parquet":
            return _without_nulls(pl.read_parquet(io.BytesIO(data)))
        text = data.decode()
        rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in _lines(text)]
    except (ValueError, RecursionError, pl.exceptions.PolarsError) as error:
        raise CorruptData(f"{file} is not what its ending {ending} says ({error}); write it anew") from error
    if not all(isinstance(row, dict) for row in rows):
        raise CorruptData(f"{file} must have an object of field and value in each row; write it anew")
    return rows


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _without_nulls(frame: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in frame.iter_rows(named=True)]


def _typed(file: Path, number: int, row: dict[str, Any], config: Any) -> dict[str, Any]:
    convert = from_text if file.suffix.lower() == ".csv" else from_python
    try:
        return {name: convert(name, value, annotation(config, name)) for name, value in row.items()}
    except InvalidInput as error:
        raise InvalidInput(f"{file}, row {number}: {error}") from error
