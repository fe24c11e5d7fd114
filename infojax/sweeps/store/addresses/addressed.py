"""The configs of a plan by their addresses: a million of them in what their digests need, 16 bytes each."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from infojax.errors import InvalidInput
from infojax.sweeps.store.addresses.address import digests
from infojax.sweeps.store.addresses.plain import plain, types
from infojax.sweeps.store.record import is_of

BLOCK = 1 << 14  # configs between two reports of how far it is


class Addressed(Mapping[str, Any]):
    """Address → config, in the order of the configs, equal ones once.

    Args:
        configs: instances of one Config.
        code: the version of its code, the second half of each address.
        tell: called with how many are done, now and then.
    """

    def __init__(self, configs: Sequence[Any], code: str, tell: Callable[[int], None] = lambda _: None) -> None:
        self.code, found, left = code, bytearray(), digests(configs)
        while block := b"".join(islice(left, BLOCK)):
            found += block
            tell(len(found) // 16)
        halves = np.frombuffer(bytes(found), ">u8").reshape(-1, 2).astype(np.uint64)
        order = np.lexsort((halves[:, 1], halves[:, 0]))  # stable: of equal ones the first comes first
        again = np.r_[False, (halves[order[1:]] == halves[order[:-1]]).all(1)] if len(order) else np.zeros(0, bool)
        if again.any():
            for earlier, later in zip(order[:-1][again[1:]], order[1:][again[1:]], strict=True):
                _check_equal(configs[earlier], configs[later])
            kept = np.sort(order[~again])
            configs, halves = [configs[index] for index in kept], halves[kept]
            order = np.lexsort((halves[:, 1], halves[:, 0]))
        self.configs, self._halves = configs, halves
        self._order, self._sorted = order, halves[order, 0]

    def __len__(self) -> int:
        return len(self.configs)

    def __iter__(self) -> Iterator[str]:
        return (self.address(index) for index in range(len(self)))

    def __getitem__(self, address: str) -> Any:
        return self.configs[self.index(address)]

    def address(self, index: int) -> str:
        """That of the config at a place in the order."""
        high, low = self._halves[index].tolist()
        return f"{high:016x}{low:016x}-{self.code}"

    def index(self, address: str) -> int:
        """The place in the order. Raises KeyError for an address of another config."""
        try:
            high, low = int(address[:16], 16), int(address[16:32], 16)
        except (TypeError, ValueError):
            raise KeyError(address) from None
        place = int(np.searchsorted(self._sorted, np.uint64(high)))
        while place < len(self) and self._sorted[place] == high:
            index = int(self._order[place])
            if self._halves[index, 1] == low and address == self.address(index):
                return index
            place += 1
        raise KeyError(address)

    def items(self) -> Any:
        """Addresses and configs, without looking one up by the other."""
        return zip(self, self.configs, strict=True)

    def values(self) -> Any:
        """The configs."""
        return self.configs


def listed(configs: Any, kind: type, experiment: str) -> Sequence[Any]:
    """The configs that were given, as a sequence: of a list, a generator, a Series, or one config by itself.

    Raises:
        InvalidInput: none, or something else than an instance of `kind`.
    """
    if isinstance(configs, kind):
        configs = [configs]
    if isinstance(configs, str | bytes | Mapping) or not isinstance(configs, Iterable):
        raise InvalidInput(f"experiment {experiment!r} takes a list of its own Configs, not {configs!r:.200}")
    if not isinstance(configs, list | tuple):
        configs = list(configs)
    for config in configs:
        if not isinstance(config, kind) or type(config).__module__ != kind.__module__:
            raise InvalidInput(f"experiment {experiment!r} takes its own Config, not {config!r:.200}")
    if not configs:
        raise InvalidInput("a sweep needs at least one config")
    return configs


def _check_equal(one: Any, other: Any) -> None:
    if not is_of({"config": plain(one), "types": types(one)}, plain(other), types(other)):
        raise InvalidInput(f"{one!r:.200} and {other!r:.200} have the same digest; sweep one of them alone")
