"""Tiles of a column of lists, or of several columns of numbers, in a Parquet file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from infojax.errors import CorruptData, InvalidInput


@dataclass(frozen=True)
class ParquetTiles:
    """Features in a Parquet file: one column of vectors (lists of one length), or columns of one number each.

    Raises:
        CorruptData: the file cannot be read as Parquet.
        InvalidInput: there is no such column, no row, or a row without numbers or of another length.
    """

    path: Path
    columns: tuple[str, ...]
    rows: int = field(init=False)
    width: int = field(init=False)

    def __post_init__(self) -> None:
        try:
            schema = pl.scan_parquet(self.path).collect_schema()
            rows = pl.scan_parquet(self.path).select(pl.len()).collect().item()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise CorruptData(f"{self.path} cannot be read as Parquet ({error!s:.200}). Write it again.") from error
        absent = [name for name in self.columns if name not in schema]
        if absent or not self.columns:
            raise InvalidInput(f"{self.path} has no columns {absent!r}; it has {', '.join(schema)[:200]}.")
        if rows == 0:
            raise InvalidInput(f"{self.path} has no rows; features need at least one.")
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "width", len(self.columns) if self._flat(schema) else self.read(0, 1).shape[1])

    @property
    def name(self) -> str:
        """The file's path, and the column's name."""
        return f"{self.path}, column {', '.join(self.columns)[:80]}"

    def read(self, start: int, stop: int) -> np.ndarray:
        """The rows from `start` to before `stop`."""
        table = pl.scan_parquet(self.path).select(self.columns).slice(start, stop - start).collect()
        if table.height < stop - start:
            raise CorruptData(f"{self.path} ends in row {start + table.height:,} of {self.rows:,}. Write it again.")
        if self._flat(table.schema):
            # A missing number becomes NaN, which is refused with its row.
            return table.select(pl.all().cast(pl.Float64)).to_numpy()
        lists = table.to_series()
        lists = lists.arr.to_list() if isinstance(lists.dtype, pl.Array) else lists
        lengths = lists.list.len()
        width = getattr(self, "width", lengths[0])
        odd = (lengths != width).fill_null(True)
        if odd.any() or not width:
            row = int(odd.arg_max() or 0)
            raise InvalidInput(
                f"{self.name}: row {start + row:,} (counted from 0) has {lengths[row]} numbers, row 0 has {width}; "
                "every example needs as many."
            )
        return lists.explode().cast(pl.Float64).to_numpy().reshape(-1, width)

    def _flat(self, schema: Mapping[str, object]) -> bool:
        """Whether each column holds one number; InvalidInput where it holds neither numbers nor lists of them."""
        kinds = [schema[name] for name in self.columns]
        if all(_is_numeric(kind) for kind in kinds):
            return True
        if len(kinds) == 1 and _is_numeric(getattr(kinds[0], "inner", None)):
            return False
        raise InvalidInput(
            f"{self.path}: the columns {', '.join(self.columns)[:80]} hold {', '.join(map(str, kinds))[:200]}; give "
            "one column of lists of numbers, or columns of numbers."
        )


def _is_numeric(kind: object) -> bool:
    return isinstance(kind, pl.DataType) and (kind.is_numeric() or kind == pl.Boolean)
