"""A config with a field of every kind."""

import dataclasses
from enum import Enum
from pathlib import Path
from typing import Literal, Optional

from infojax.sweeps.designs.fields import types_of


class Colour(Enum):
    RED = "r"
    BLUE = 2


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: float = 0.1


@dataclasses.dataclass(frozen=True)
class Config:
    ridge: float = 1.0
    seed: int = 0
    rule: Literal["hard", "easy", 3] = "hard"
    name: str = "a"
    flag: bool = False
    colour: Colour = Colour.RED
    limit: Optional[int] = None  # noqa: UP045
    mixed: int | float | str = 1
    sizes: tuple[int, ...] = (1, 2)
    pair: tuple[float, str] = (1.0, "x")
    nested: tuple[tuple[int, ...], ...] = ()
    folder: Path = Path()
    inner: Inner = dataclasses.field(default_factory=Inner)

    def __post_init__(self):
        if self.seed == 13:
            raise ValueError("thirteen is unlucky")


KINDS = types_of(Config)
