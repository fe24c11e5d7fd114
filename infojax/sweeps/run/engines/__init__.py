"""Engines by name: who runs the units of a sweep, and where.

The module of an engine has

    Options                 a frozen dataclass, all fields with defaults: options of the command line, the words under
                            each being their help. Its property `parallel` is how many units run at once.
    check(options) -> None  raises InvalidInput for what cannot work, within seconds and before anything runs
    run(units, options) -> Iterator[list[Outcome]]
                            calls `work` for each unit, in any order, and yields what it returned; closing the iterator
                            stops everything that it started
"""

import importlib
import importlib.util
from types import ModuleType

from infojax.errors import InvalidInput

# Engine → (what must be installed, the extra of infojax that brings it).
ENGINES: dict[str, tuple[str, str] | None] = {
    "local": None,
    "ray": ("ray", "ray"),
    "slurm": ("submitit", "slurm"),
}


def find(name: str) -> ModuleType:
    """The module of an engine. Raises InvalidInput for an unknown one and for one whose extra is not installed.

    >>> find("grid")
    Traceback (most recent call last):
    ...
    infojax.errors.InvalidInput: there is no engine 'grid'; engines are local, ray, slurm
    """
    if name not in ENGINES:
        raise InvalidInput(f"there is no engine {name!r}; engines are {', '.join(ENGINES)}")
    needs = ENGINES[name]
    if needs is not None and importlib.util.find_spec(needs[0]) is None:
        raise InvalidInput(
            f'the engine {name!r} needs {needs[0]}, which is not here: pip install "infojax[{needs[1]}]"'
        )
    return importlib.import_module(f"infojax.sweeps.run.engines.{name}")
