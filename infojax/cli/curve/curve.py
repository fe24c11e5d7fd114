"""`infojax curve`: the test error under data selection, the exact law over a simulation."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

from infojax.cli.curve.options import hint, numbers, one_of, takers
from infojax.cli.curve.presets import PRESETS
from infojax.scaling import LAWS

Rule = Literal["hard", "easy", "random", "all", "soft"]
QUANTITIES = ("accuracy", *dict.fromkeys(quantity for law in LAWS.values() for quantity in law.quantities))


def curve(
    *,
    law: Annotated[str | None, one_of(LAWS, "default: ridge")] = None,
    preset: Annotated[str | None, one_of(PRESETS, "default: none")] = None,
    over: Annotated[str | None, hint("default: kept, or what suits the law", "NAME")] = None,
    curves: Annotated[str | None, hint("default: none", "NAME=VALUE,VALUE")] = None,
    rules: Annotated[tuple[Rule, ...] | None, hint(takers("rules"), "RULE")] = None,
    hold: Annotated[Literal["pool", "kept"] | None, hint(takers("hold"), "{pool,kept}")] = None,
    label_aware: Annotated[bool, hint(takers("label_aware"))] = False,
    labels: Annotated[Literal["sign", "linear"] | None, hint(takers("labels"), "{sign,linear}")] = None,
    optimal: bool = False,
    quantity: Annotated[str | None, one_of(QUANTITIES, "default: error")] = None,
    start: Annotated[float | None, hint("default: suits the number", "NUMBER")] = None,
    stop: Annotated[float | None, hint("default: suits the number", "NUMBER")] = None,
    scale: Annotated[Literal["linear", "log"] | None, hint("default: suits the number", "{linear,log}")] = None,
    simulate: Annotated[int | None, hint("default: 9", "INT")] = None,
    dimension: Annotated[int | None, hint("default: 200; perceptron: 60", "INT")] = None,
    repeats: Annotated[int | None, hint("default: 16", "INT")] = None,
    seed: Annotated[int | None, hint("default: 0", "INT")] = None,
    out: Path = Path("curve"),
    problem: Annotated[Any, numbers()],
) -> None:
    """Draw how well a linear learner does when it is trained on a selected part of its data.

    Lines are the exact law for many examples of high dimension, points a simulation with standard errors. Writes
    OUT.pdf, OUT.png, and the numbers as OUT.csv and OUT.parquet.

    {laws}

    Try: infojax curve --ratio 0.35 --ridge 1e-6 --optimal

    or: infojax curve --law relabelling --curves label_aware=no,yes

    or: infojax curve --preset practice-figure3 --pruner 0.9

    Args:
        law: Of which problem. Behind other options stand the laws that take them, with defaults.
        preset: Settings of a paper's figure; options given beside it count instead of its own.
        over: The NUMBER that varies along the horizontal axis; what is given for itself does not count.
        curves: A curve for each value of another NUMBER, as in ridge=1e-6,1e-2, or label_aware=no,yes.
        rules: Keep hard examples, nearest to the pruner's boundary, easy, random, all, or soft; several.
        hold: Whether ratio, ridge and alpha are relative to the pool or to those that are kept of it.
        label_aware: Keep an example only if the pruner also agrees with its label.
        labels: The sign of a linear function, or the function itself and noise.
        optimal: Mark each rule's best fraction, print what the others lose (law ridge, over kept).
        quantity: What is drawn.
        start: Where the horizontal axis begins.
        stop: Where it ends.
        scale: Of the horizontal axis.
        simulate: How many points of each curve are simulated; 0 draws the law alone.
        dimension: d of the simulation; larger is closer to the law and slower.
        repeats: Simulated pools for each point.
        seed: Of the simulation.
        out: The files to write, without their endings.
        problem: Numbers of the problem.
    """
    given = {name: value for name, value in locals().items() if name not in ("out", "problem")}
    given |= dataclasses.asdict(problem) | {"label_aware": label_aware or None, "optimal": optimal or None}
    from infojax.cli.curve.optimal import check_optimal, marked, printed
    from infojax.cli.curve.optimal import optimal as best_of
    from infojax.cli.curve.report import report
    from infojax.cli.curve.settings import settle
    from infojax.cli.curve.tables import grid, with_law, with_simulation
    from infojax.cli.screen.keeping import make_writable
    from infojax.cli.screen.progress import progress_on_terminal
    from infojax.files import Console

    settings = settle(given)
    if optimal:
        check_optimal(settings)
    make_writable(out.parent, out)
    lines = with_law(settings, grid(settings, settings.law.places))
    points = None
    if settings.simulate:
        places = grid(settings, settings.simulate)
        with progress_on_terminal("curve") as progress:
            measured = with_simulation(settings, places, progress)
        points = measured.hstack(with_law(settings, places).select("^.*_law$"))
    best = best_of(settings) if optimal else None
    keeping = report(settings, lines, points, None if best is None else marked(settings, best), out)
    console = Console()
    if best is not None:
        console.print(printed(best))
    console.print("\n".join(str(out.parent / name) for name in keeping.written), soft_wrap=True, highlight=False)
    keeping.check()


curve.__doc__ = str(curve.__doc__).replace(
    "{laws}", "\n\n    ".join(f"law {name}: {law.says}." for name, law in LAWS.items())
)
