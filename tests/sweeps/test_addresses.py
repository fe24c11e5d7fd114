"""Which configs share a result: those that are the same in everything, and no others, whatever their digests."""

import dataclasses
import enum
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import CorruptData, InvalidInput
from infojax.sweeps import Store, load_experiment, plain, run_stored, sweep
from infojax.sweeps.store.addresses.address import address, digests
from infojax.sweeps.store.addresses.addressed import Addressed
from infojax.sweeps.store.addresses.plain import types
from infojax.sweeps.store.record import digest, read_record, sealed, short_digest
from infojax.sweeps.store.verify import verify


@dataclasses.dataclass(frozen=True)
class Config:
    index: int = 0
    seed: int = 0
    pause: float = 0.0
    size: int = 5


@dataclasses.dataclass(frozen=True)
class Any_:
    value: Any = None
    seed: int = 0


class Color(enum.Enum):
    RED = "r"


class Light(enum.Enum):
    RED = 1


class Flag(enum.Flag):
    A = 1
    B = 2


@dataclasses.dataclass(frozen=True)
class Rate:
    rate: float = 0.1


def elsewhere():
    @dataclasses.dataclass(frozen=True)
    class Rate:
        rate: float = 0.1

    return Rate


@dataclasses.dataclass(frozen=True)
class Typed:
    type: str = "x"


@dataclasses.dataclass(frozen=True)
class TypedToo:
    type: str = "x"


# Found among 32 million: the first 48 bits of the SHA-256 of the two are the same.
COLLISIONS = [(17985, 4414343), (5705561, 26880316)]


def held(value):
    return {"t": pl.DataFrame({"x": [float(value)]}), "a": np.full(3, float(value))}


def as_it_was(folder, asked):
    """The result under the short name that it had until November 2026."""
    return folder.rename(folder.with_name(f"{short_digest(plain(asked))}-{folder.name.partition('-')[2]}"))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


@pytest.mark.parametrize(("one", "other"), COLLISIONS)
def test_a_collision_of_short_digests_is_no_other_results_numbers(store, one, other):
    first, second = Config(one), Config(other)
    assert short_digest(plain(first)) == short_digest(plain(second))
    assert address(first) != address(second)
    as_it_was(store.write("e", first, held(1)).folder, first)
    assert store.read("e", first).arrays["a"][0] == 1
    for any_code in (False, True):
        assert store.read("e", second, any_code=any_code) is None
    store.write("e", second, held(2))
    assert (store.read("e", first).arrays["a"][0], store.read("e", second).arrays["a"][0]) == (1, 2)
    assert len([checked for checked in verify(store.root) if not checked.damaged]) == 2


@pytest.mark.parametrize(("one", "other"), COLLISIONS)
def test_a_collision_with_a_result_of_other_code(store, one, other):
    folder = store.write("e", Config(one), held(1)).folder
    record = {key: entry for key, entry in read_record(folder).items() if key != "sha256"} | {"code": "0" * 12}
    older = folder.rename(folder.with_name(f"{short_digest(plain(Config(one)))}-{'0' * 12}"))
    (older / "record.json").write_bytes(sealed(record))
    assert store.read("e", Config(one)) is None
    assert store.read("e", Config(one), any_code=True).arrays["a"][0] == 1
    assert store.earlier("e", Config(one)) == [older]
    assert store.read("e", Config(other), any_code=True) is None
    assert store.earlier("e", Config(other)) == []


COIN = '''"""A coin."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Config:
    index: int = 0
    seed: int = 0
    pause: float = 0.0
    size: int = 5


PRESETS = {"quick": Config(), "paper": Config()}


def run(config, scratch, progress):
    return {"t": pl.DataFrame({"x": [float(config.index)]})}
'''


@pytest.mark.parametrize("short", [False, True])
def test_a_sweep_computes_what_collides(package, tmp_path, short):
    name, folder = package
    (folder / "coin.py").write_text(COIN)
    coin, store = load_experiment("coin", name), Store(tmp_path / "R")
    ones, others = ([coin.Config(index) for index in indices] for indices in zip(*COLLISIONS, strict=True))
    sweep("coin", ones, results=store.root, package=name)
    if short:
        for config in ones:
            as_it_was(store.folder("coin", config), config)
    report = sweep("coin", [*ones, *others], results=store.root, package=name)
    assert (report.count("computed"), report.count("found")) == (2, 2)
    for config in (*ones, *others):
        assert run_stored("coin", config, store, package=name).tables["t"]["x"].to_list() == [config.index]
    assert sweep("coin", [*ones, *others], results=store.root, package=name).count("found") == 4


def test_four_that_collide_are_four_configs():
    configs = [Config(index) for pair in COLLISIONS for index in pair]
    planned = Addressed([*configs, *configs], "0" * 12)
    assert planned.configs == configs
    assert [planned[at] for at in planned] == configs
    assert len({at[:12] for at in planned}) == 2


def test_a_result_under_a_short_name_is_found_and_replaced(store):
    short = as_it_was(store.write("e", Config(7), held(1)).folder, Config(7))
    assert store.read("e", Config(7)).folder == short
    assert len(short.name) == 25
    folder = store.write("e", Config(7), held(2)).folder
    assert len(folder.name) == 45
    assert not short.exists()
    assert store.read("e", Config(7)).arrays["a"][0] == 2


def test_a_record_of_another_config_at_the_address_is_an_error(store, monkeypatch):
    """As if 128 bits had collided."""
    same = type("Same", (), {"digest": lambda _: b"0" * 32})
    monkeypatch.setattr(
        "infojax.sweeps.store.addresses.address.hashlib", type("Hashes", (), {"sha256": lambda _: same()})
    )
    monkeypatch.setattr("infojax.sweeps.store.record.digest", lambda *_: (b"0" * 16).hex())
    store.write("e", Config(1), held(1))
    assert store.read("e", Config(1)).arrays["a"][0] == 1
    with pytest.raises(CorruptData, match="of another config"):
        store.read("e", Config(2))
    with pytest.raises(InvalidInput, match="the same digest"):
        Addressed([Config(1), Config(2)], "0" * 12)


# Whatever differs in value, type or sign has an address of its own.
DIFFERENT = [
    None, True, 1, 1.0, "1", "None", "true", 0, 0.0, -0.0, False, math.inf, -math.inf, math.nan, "NaN", 10**300, 1e300,
    2**53, 2**53 + 1, float(2**53), (1, 2), [1, 2], (1, (2,)), (), [], {}, {"a": 1}, {"a": 1.0}, Path("a"), "a", ("a",),
    Color.RED, Light.RED, "RED", Flag.A, Flag.A | Flag.B, Flag(0), Rate(), elsewhere()(), Rate(0.2),
    {"type": "Rate", "rate": 0.1}, (Color.RED,), (Light.RED,), {"a": Path("b")}, {"a": "b"}, {"a/b": Path("c")},
    {"a": {"b": Path("c")}}, "é", "e\u0301", np.float32(0.1), 0.1,
]  # fmt: skip


def test_what_differs_has_another_address():
    found = {}
    for value in DIFFERENT:
        assert found.setdefault(address(Any_(value)), value) is value, (found[address(Any_(value))], value)
    assert len(found) == len(DIFFERENT)
    assert address(Typed()) != address(TypedToo())


@pytest.mark.parametrize("value", DIFFERENT)
def test_the_address_is_the_digest_of_what_is_recorded(store, value):
    config = Any_(value)
    assert address(config).startswith(digest(plain(config), types(config)))
    store.write("e", config, held(1))
    assert store.read("e", config) is not None
    assert [not checked.damaged for checked in verify(store.root)] == [True]


@pytest.mark.parametrize(
    ("one", "other"),
    [(np.float64(0.5), 0.5), (np.int8(3), 3), (np.bool_(True), True), (np.str_("a"), "a"), (math.nan, float("-nan"))],
)
def test_what_is_the_same_shares_a_result(store, one, other):
    store.write("e", Any_(one, seed=np.int64(3)), held(1))
    assert store.read("e", Any_(other, seed=3)) is not None


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([*Color, Path("p")]),
    lambda inner: st.tuples(inner, inner) | st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(values=st.lists(VALUES, min_size=1, max_size=6))
def test_digests_of_many_are_those_of_each(values):
    configs = [Any_(value, seed) for value in values for seed in (0, 1)]
    expected = [digest(plain(config), types(config)) for config in configs]
    assert [found.hex() for found in digests(configs)] == expected


def nested(depth):
    value = 0
    for _ in range(depth):
        value = (value,)
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("\udcff.png", "no Unicode.*rename the file"),
        (Path("\udcff"), "no Unicode"),
        ({"\ud800": 1}, "no Unicode"),
        (nested(3000), "nested more than"),
        (10**5000, "16,610 bits"),
        ({1, 2}, "cannot be recorded"),
        (frozenset({1}), "cannot be recorded"),
        (b"a", "cannot be recorded"),
        (1j, "cannot be recorded"),
        (np.longdouble(0.1), "cannot be recorded"),
        (np.datetime64("2020-01-01"), "cannot be recorded"),
        (np.ones(2), "cannot be recorded"),
        ({1: 2}, "cannot be recorded"),
        (len, "cannot be recorded"),
        (Rate, "cannot be recorded"),
        ({10**5000}, "of type set, which cannot be recorded"),
    ],
    ids=range(16),
)
def test_what_cannot_be_recorded_is_refused_before_anything_runs(store, value, words):
    with pytest.raises(InvalidInput, match=words):
        address(Any_(value))
    with pytest.raises(InvalidInput, match=words):
        store.read("e", Any_((value,)))


def test_a_config_that_holds_itself_is_refused():
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidInput, match="nested more than"):
        address(Any_(loop))
