"""A store against a model of it: whatever is written, killed, damaged, claimed, verified and pruned, in any order."""

import contextlib
import dataclasses
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from infojax.errors import CorruptData
from infojax.sweeps import Store
from infojax.sweeps.store import prune, writing
from infojax.sweeps.store.addresses.code_version import pinned
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.inventory import entries
from infojax.sweeps.store.verify import set_aside, verify


@dataclasses.dataclass(frozen=True)
class Config:
    seed: int = 0


CONFIGS = [Config(seed) for seed in range(3)]
ANY = st.sampled_from(CONFIGS)


class Killed(BaseException):
    """Plays kill −9: nothing is cleaned up."""


@contextlib.contextmanager
def killed_at(step):
    """Within it, the writer dies at its step of that number."""
    steps, kept = iter(range(10**6)), []

    def counted(function):
        def call(*given, **more):
            if next(steps) == step:
                raise Killed
            return function(*given, **more)

        return call

    for owner, name in ((os, "mkdir"), (os, "rename"), (os, "replace"), (os, "fsync"), (writing, "sealed")):
        kept.append((owner, name, getattr(owner, name)))
        setattr(owner, name, counted(getattr(owner, name)))
    for owner, name in ((writing.shutil, "rmtree"), (writing, "_unlink")):
        kept.append((owner, name, getattr(owner, name)))
        setattr(owner, name, lambda *_, **__: None)
    try:
        yield
    except Killed:
        pass
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


class Machine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.open = contextlib.ExitStack()
        self.open.enter_context(pinned(__name__))  # else every address would look at each source
        self.folder = Path(tempfile.mkdtemp(prefix="store-machine-"))
        self.store = Store(self.folder / "results")
        self.may, self.damaged, self.claims, self.turn = {config: {None} for config in CONFIGS}, set(), {}, 0

    def teardown(self):
        for claim in self.claims.values():
            claim.release()
        shutil.rmtree(self.folder)
        self.open.close()

    def held(self):
        self.turn += 1
        return {"t": pl.DataFrame({"x": [float(self.turn)]}), "a": np.full(2, float(self.turn))}

    def seen(self, config):
        """What reading gives: a value, None, or "damaged"."""
        try:
            result = self.store.read("e", config)
        except CorruptData:
            return "damaged"
        if result is None:
            return None
        (table,), (one, other) = result.tables["t"]["x"], result.arrays["a"]
        assert table == one == other
        return table

    def know(self, config, *values):
        self.may[config] = set(values)
        self.damaged.discard(config)

    @rule(config=ANY)
    def write(self, config):
        self.store.write("e", config, self.held())
        self.know(config, self.turn)

    @rule(config=ANY, step=st.integers(0, 14))
    def write_and_die(self, config, step):
        before = {"damaged"} if config in self.damaged else self.may[config]
        with killed_at(step):
            self.store.write("e", config, self.held())
        now = self.seen(config)
        assert now in before | {self.turn}
        self.know(config, now)
        if now == "damaged":
            self.damaged.add(config)

    @precondition(lambda self: self.store.root.exists())
    @rule(data=st.data(), how=st.sampled_from(["flip", "cut", "delete", "folder"]))
    def damage(self, data, how):
        files = sorted(file for file in self.store.root.glob("e/*-*/*") if file.is_file())
        if not files:
            return
        file = data.draw(st.sampled_from(files))
        configs = [config for config in CONFIGS if self.store.folder("e", config) == file.parent]
        content = file.read_bytes()
        file.unlink()
        if how == "flip" and content:
            place = data.draw(st.integers(0, len(content) - 1))
            file.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        elif how == "cut":
            file.write_bytes(content[: len(content) // 2])
        elif how == "folder":
            file.mkdir()
        for config in configs:
            now = self.seen(config)
            # Without its record a result is not there; a file that is no part of the result does no harm.
            assert now in {"damaged", None} | self.may[config]
            assert now is None or now == "damaged" or config not in self.damaged
            if now == "damaged":
                self.damaged.add(config)
            else:
                self.know(config, now)

    @precondition(lambda self: self.store.root.exists())
    @rule()
    def verify_and_set_aside(self):
        for checked in verify(self.store.root):
            if checked.damaged:
                assert set_aside(self.store.root, checked) is not None
        for config in self.damaged.copy():
            self.know(config, None)
        assert not any(checked.damaged for checked in verify(self.store.root))

    @precondition(lambda self: self.store.root.exists())
    @rule(old=st.booleans())
    def clear_up(self, old):
        if old:  # as if all had been left two hours ago
            for path in self.store.root.rglob("*"):
                os.utime(path, (path.stat().st_mtime - 7200,) * 2)
        for waste in list(prune.find_waste(self.store.root, None, "nowhere")):
            prune.remove_waste(waste.path)

    @rule(config=ANY)
    def claim(self, config):
        address = self.store.folder("e", config).name
        claim = claims.take(claims.folder(self.store.root, "e"), address, claims.Watch())
        assert (claim is None) == (config in self.claims)  # nobody takes what another holds
        if claim is not None:
            self.claims[config] = claim

    @rule(config=ANY)
    def release(self, config):
        claim = self.claims.pop(config, None)
        if claim is not None:
            assert claim.held()
            claim.release()

    @invariant()
    def all_reads_are_of_the_model(self):
        for config in CONFIGS:
            assert self.seen(config) in ({"damaged"} if config in self.damaged else self.may[config])

    @invariant()
    def the_list_is_of_the_model(self):
        if not self.store.root.exists():
            return
        states = {entry.address: entry.state for entry in entries(self.store.root)}
        for config in CONFIGS:
            state = states.get(self.store.folder("e", config).name)
            if self.may[config] != {None} and config not in self.damaged:
                assert state == "stored"
            elif config in self.claims:
                assert state in ("running", "damaged", "stored")


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
