"""The curves as tables: for each place on the axis, what the law says there and what a simulation measures."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from infojax.cli.curve.settings import Curve, Settings

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress


def grid(settings: Settings, points: int) -> np.ndarray:
    """Places along the axis; along a chain of learners all there are, as they come with the last one."""
    low, high = settings.low, settings.high
    if settings.law.chain == settings.over:
        return np.arange(np.ceil(low), np.floor(high) + 1)
    return np.geomspace(low, high, points) if settings.logarithmic else np.linspace(low, high, points)


def with_law(settings: Settings, places: np.ndarray) -> "pl.DataFrame":
    """Columns `curve`, `x`, those of the problem, and error_law, … of the law."""
    import polars as pl

    return pl.concat([law_of(settings, curve, places) for curve in settings.curves])


def law_of(settings: Settings, curve: Curve, places: np.ndarray) -> "pl.DataFrame":
    problem = _at(settings, curve, places)
    found = settings.law.evaluate(problem)._asdict()
    columns = {f"{name}_law": np.broadcast_to(values, places.shape) for name, values in found.items()}
    return _table(settings, curve, places, columns)


def with_simulation(settings: Settings, places: np.ndarray, progress: "Progress") -> "pl.DataFrame":
    """Columns `curve`, `x`, those of the problem, and error, error_stderr, …, each point with a key of its own."""
    import jax
    import polars as pl

    tables = []
    task = progress.add_task("simulating", total=len(settings.curves) * len(places))
    for index, curve in enumerate(settings.curves):
        found: list[dict[str, Any]] = []
        chain = settings.law.chain == settings.over
        for place in places[-1:] if chain else places:
            key = jax.random.fold_in(jax.random.key(settings.seed), index * len(places) + len(found))
            problem = _at(settings, curve, float(place))
            size = {"dimension": settings.dimension, "repeats": settings.repeats}
            result = settings.law.measure(problem, **size, draw=_draw(settings, curve), key=key)
            found.append({name: np.asarray(values).ravel() for name, values in result.columns().items()})
            progress.advance(task, len(places) if chain else 1)
        if chain:  # one run has passed through all places
            columns = {name: values[places.astype(int) - settings.law.first] for name, values in found[0].items()}
        else:
            columns = {name: np.array([row[name][-1] for row in found]) for name in found[0]}
        tables.append(_table(settings, curve, places, columns))
    progress.remove_task(task)
    return pl.concat(tables)


def _draw(settings: Settings, curve: Curve) -> Literal["pool", "kept"] | None:
    """With one size of the pool, drawing all of it compiles one program for each rule."""
    if settings.name != "ridge":
        return None
    one_size = settings.shared["hold"] == "pool" and settings.over != "ratio"
    return "pool" if curve.rule == "soft" or one_size else "kept"


def _at(settings: Settings, curve: Curve, place: Any) -> dict[str, Any]:
    """The curve's problem at a place; `all` keeps all wherever it stands."""
    return curve.problem | ({} if curve.rule == "all" and settings.over == "kept" else {settings.over: place})


def _table(settings: Settings, curve: Curve, places: np.ndarray, columns: dict[str, np.ndarray]) -> "pl.DataFrame":
    import polars as pl

    problem, numbers = _at(settings, curve, places), settings.law.numbers
    known = {name: value for name, value in problem.items() if value is not None}
    constant = {name: float(value) for name, value in known.items() if name in numbers and np.ndim(value) == 0}
    return pl.DataFrame({"curve": curve.name, "x": places, **known, **constant, **columns})
