"""`infojax curve`: the test error under data selection, the exact law over a simulation."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from infojax.errors import InvalidInput

if TYPE_CHECKING:
    import polars as pl

Swept = Literal["kept", "pruner", "ratio", "ridge"]
Rule = Literal["hard", "easy", "random", "all"]
Quantity = Literal["error", "accuracy", "mse", "overlap", "norm"]

RANGES = {"kept": (0.02, 1.0), "pruner": (0.0, 1.0), "ratio": (0.05, 5.0), "ridge": (1e-6, 10.0)}
LOGARITHMIC = ("ratio", "ridge")


def curve(
    over: Swept = "kept",
    *,
    rules: tuple[Rule, ...] = ("hard", "easy"),
    start: float | None = None,
    stop: float | None = None,
    kept: float = 0.3,
    pruner: float = 1.0,
    ratio: float = 0.35,
    ridge: float = 1e-2,
    generator: float = 1.0,
    pruner_generator: float | None = None,
    label_aware: bool = False,
    quantity: Quantity = "error",
    simulate: int = 9,
    dimension: int = 200,
    repeats: int = 16,
    seed: int = 0,
    out: Path = Path("curve"),
) -> None:
    """Draw how well a linear learner does when it is trained on a selected part of its data.

    A pool of n Gaussian examples of dimension d, labelled by the sign of a linear function, is pruned by a second
    linear function: hard keeps the examples nearest to its boundary, easy the farthest, random any. Ridge regression
    on what is kept is tested on unpruned data. Lines are the exact law for large d, points a simulation with standard
    errors. Writes OUT.pdf, OUT.png, and the numbers as OUT.csv and OUT.parquet.

    Try: infojax curve --over kept --ratio 0.35 --ridge 1e-6

    Args:
        over: What varies along the horizontal axis; the option of the same name then does not
            count.
        rules: Which examples are kept, one curve for each; several with spaces between.
        start: Where the horizontal axis begins.
        stop: Where it ends.
        kept: Fraction of the pool that is kept.
        pruner: Cosine of the pruning direction with the truth: 1 is a perfect pruner, 0 knows nothing.
        ratio: d/n, dimensions per example of the pool.
        ridge: Strength of the ridge penalty, relative to a loss averaged over the pool; 0 is allowed.
        generator: Cosine of the labels' direction with the truth: 1 labels everything rightly.
        pruner_generator: Cosine of the pruner with the labels' direction; needed where generator is not 1.
        label_aware: Keep an example only if the pruner also agrees with its label.
        quantity: What is drawn.
        simulate: How many points of each curve are simulated; 0 draws the law alone.
        dimension: d of the simulation; larger is closer to the law and slower.
        repeats: Simulated pools for each point.
        seed: Of the simulation.
        out: The files to write, without their endings.
    """
    from rich.console import Console

    from infojax.cli.curve_report import report
    from infojax.cli.progress import progress_on_terminal
    from infojax.scaling.comparison import with_law, with_simulation

    fixed = {"kept": kept, "pruner": pruner, "ratio": ratio, "ridge": ridge, "generator": generator}
    # A swept pruner meets labels that are the truth's, unless its cosine with them is given.
    fixed |= {} if pruner_generator is None else {"pruner_generator": pruner_generator}
    fixed |= {"label_aware": label_aware}
    _check(over, rules, simulate, fixed)
    low, high = _ends(over, start, stop)
    _make_folder(out.parent)

    lines = with_law(_cells(over, rules, _grid(over, low, high, 300), fixed))
    points = None
    if simulate:
        cells = _cells(over, rules, _grid(over, low, high, simulate), fixed)
        with progress_on_terminal() as progress:
            # With one size of the pool, drawing all of it compiles one program for each rule.
            draw = "kept" if over == "ratio" else "pool"
            points = with_simulation(
                cells, dimension=dimension, repeats=repeats, seed=seed, draw=draw, progress=progress
            )
        points = with_law(points)
    files = report(lines, points, over, quantity, fixed, out)
    Console().print("\n".join(str(file) for file in files), soft_wrap=True, highlight=False)


def _check(over: str, rules: tuple[str, ...], simulate: int, fixed: dict[str, Any]) -> None:
    if not rules:
        raise InvalidInput("no rule was given; --rules takes some of hard, easy, random, all")
    if simulate < 0 or simulate == 1:
        raise InvalidInput(f"--simulate {simulate}: give the number of simulated points, 2 or more, or 0 for none")
    if fixed["generator"] != 1 and "pruner_generator" not in fixed:
        raise InvalidInput(
            f"--generator {fixed['generator']:g} labels otherwise than the truth, so its cosine with the pruner is "
            "needed too: give --pruner-generator"
        )


def _ends(over: str, start: float | None, stop: float | None) -> tuple[float, float]:
    low = RANGES[over][0] if start is None else start
    high = RANGES[over][1] if stop is None else stop
    if not low < high:
        raise InvalidInput(f"the axis would run from {low:g} to {high:g}; --start must be below --stop")
    if over in LOGARITHMIC and low <= 0:
        raise InvalidInput(f"--start {low:g}: the axis of {over} is logarithmic and must begin above 0")
    return low, high


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"nothing can be written to {folder} ({error}); choose another --out") from error


def _grid(over: str, low: float, high: float, points: int) -> np.ndarray:
    return np.geomspace(low, high, points) if over in LOGARITHMIC else np.linspace(low, high, points)


def _cells(over: str, rules: tuple[str, ...], grid: np.ndarray, fixed: dict[str, Any]) -> "pl.DataFrame":
    """A row for each rule and each place x on the axis; `all` keeps all wherever it stands."""
    import polars as pl

    rows = []
    for curve in dict.fromkeys(rules):
        rule = {"rule": "random", "kept": 1.0} if curve == "all" else {"rule": curve}
        rows += [{"curve": curve, "x": x, **fixed, over: x, **rule} for x in map(float, grid)]
    return pl.DataFrame(rows)
