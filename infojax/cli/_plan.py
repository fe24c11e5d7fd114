"""`infojax plan`: what a computation will take, before it starts."""

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import FlagCreatePairsOff, arg

from infojax.cli.screen.exit import REFUSED
from infojax.errors import InvalidInput

if TYPE_CHECKING:
    from infojax.cli._training_options import TrainingOptions
    from infojax.linearized import Training

GIB = 2**30
COUNT, NUMBER, LIST, DEVICE = (
    arg(metavar=kind, help_behavior_hint="") for kind in ("INT", "FLOAT", "INT,INT…", "NAME")
)


def plan(
    *,
    examples: int,
    validation: int = 1000,
    outputs: int = 10,
    network: Literal["mlp", "cnn"] = "mlp",
    hidden: Annotated[str, LIST] = "1024",
    input: Annotated[str, LIST] = "28,28,1",
    steps: Annotated[int | None, COUNT] = None,
    learning_rate: Annotated[float | None, NUMBER] = None,
    time: Annotated[float | None, NUMBER] = None,
    converged: FlagCreatePairsOff[bool] = False,
    decay: float = 0.0,
    convention: Literal["mean", "sum"] = "mean",
    subset: Annotated[int | None, COUNT] = None,
    tolerance: float = 1e-6,
    dtype: Literal["float64", "float32"] = "float64",
    device: Annotated[str, DEVICE] = "here",
    devices: int = 1,
    memory: Annotated[float | None, NUMBER] = None,
    disk: Annotated[float | None, NUMBER] = None,
    budget: float = 2.0,
    force: FlagCreatePairsOff[bool] = False,
    json: FlagCreatePairsOff[bool] = False,
) -> int:
    """What building kernels and leaving examples out will take: bytes, seconds, and the quickest way that fits.

    Nothing of it is computed; on device "here" the machine's rates are measured for a second or two. The exit code is 1
    when nothing fits, and 2 when what fits takes more than a day: no way is chosen then without --force.

    Try: infojax plan --examples 20000 --hidden 1024,1024 --device h200

    Args:
        examples: How many are trained on.
        validation: How many others predictions are compared on.
        outputs: Of the network.
        network: mlp, or the paper's cnn.
        hidden: Widths of the mlp's hidden layers.
        input: Shape of an example.
        steps: Steps of gradient descent; 2000 by default.
        learning_rate: Step size; by default half the largest at which descent is stable.
        time: Train by gradient flow for this time, instead of gradient descent.
        converged: Train to convergence, instead of gradient descent.
        decay: Weight decay toward the initialization.
        convention: Whether the loss is a mean or a sum over the examples.
        subset: How many examples are left out, one at a time; by default all.
        tolerance: Of leaving out by products, see docs/large-kernels.md.
        dtype: Of products.
        device: here, h200, h100, a100, v100, a10, t4 or cpu:CORES.
        devices: How many of them.
        memory: GiB that may be used, over all devices; by default what there is.
        disk: GiB that may be written; by default as many as are needed.
        budget: GiB that building the kernels may use on each device beside the kernels.
        force: Choose the quickest way that fits even if it takes days.
        json: Print numbers for programs, in bytes and seconds.
    """
    # What `--help` has no use for takes seconds to import.
    import jax
    import numpy as np

    from infojax import planning
    from infojax.cli._training_options import TrainingOptions
    from infojax.models import cnn, mlp
    from infojax.planning import LONGEST

    model = cnn(outputs) if network == "cnn" else mlp(_numbers("--hidden", hidden), outputs)
    shape = _numbers("--input", input)
    made = planning.plan(
        model,
        model.init(jax.random.key(0), shape),
        inputs=shape,
        outputs=outputs,
        examples=examples,
        validation=validation,
        training=_training(TrainingOptions(steps, learning_rate, time, converged, decay, convention)),
        subset=subset,
        tolerance=tolerance,
        dtype=np.dtype(dtype),
        device=device,
        devices=devices,
        memory=None if memory is None else memory * GIB,
        disk=None if disk is None else disk * GIB,
        budget=int(budget * GIB),
        longest=math.inf if force else LONGEST,
    )
    print(as_json(made)) if json else show(made)
    return 0 if made.chosen else REFUSED if made.fitting else 1


def _training(options: "TrainingOptions") -> "Training | None":
    """None for descent at half the largest stable rate, which is not known yet."""
    if options.converged or options.time is not None or options.learning_rate is not None:
        return options.training(1.0)
    if options.steps is not None:
        raise InvalidInput(
            "--steps needs --learning-rate; without both, 2000 steps at half the stable rate are planned"
        )
    return None


def _numbers(option: str, listed: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in listed.split(",") if number)
    except ValueError as error:
        raise InvalidInput(f"{option} is {listed!r}; give whole numbers with commas between: 1024,1024") from error


def as_json(made: Any) -> str:
    """All numbers of a plan, with the totals of its routes."""
    routes = [asdict(route) | {"memory": route.memory, "seconds": route.seconds} for route in made.routes]
    chosen = None if made.chosen is None else made.chosen.name
    fitting = [route.name for route in made.fitting]
    whole: dict[str, Any] = asdict(made) | {"routes": routes, "fitting": fitting, "chosen": chosen}
    return json.dumps(whole, indent=1)


def show(made: Any) -> None:
    """A plan as a table of routes and of the stages of the one chosen."""
    from rich.table import Table

    from infojax.files import Console
    from infojax.planning import in_time

    console = Console()
    routes = Table("", "memory, GiB", "disk, GiB", "time", "", title=f"Kernel of {made.rows:,} rows", show_edge=False)
    for route in made.routes:
        routes.add_row(route.name, _gib(route.memory), _gib(route.disk), in_time(route.seconds), _said(route, made))
    console.print(routes)
    if made.chosen:
        stages = Table("", "memory, GiB", "TFLOP", "time", title=f"\n{made.chosen.name}", show_edge=False)
        for stage in made.chosen.stages:
            stages.add_row(stage.what, _gib(stage.memory), _short(stage.flops / 1e12, 3), in_time(stage.seconds))
        console.print(stages)
    kind = made.machine.name + (f" × {made.machine.devices}" if made.machine.devices > 1 else "")
    console.print(f"\nOn {kind} with {_gib(made.machine.memory)} GiB. Assumed: {'; '.join(made.assumptions)}.")
    if made.remedy:
        said = "Nothing is chosen." if made.fitting else "Nothing fits."
        forced = " --force chooses it nevertheless." if made.fitting else ""
        console.print(f"[red]{said}[/] {made.remedy}{forced}")


def _said(route: Any, made: Any) -> str:
    if route not in made.fitting:
        return "[red]does not fit[/]"
    if route == made.chosen:
        return "[green]chosen[/]"
    return "[red]takes too long[/]" if made.chosen is None else ""


def _gib(count: float) -> str:
    return _short(count / GIB, 3)


def _short(number: float, digits: int) -> str:
    return f"{number:,.0f}" if number >= 10**digits else f"{number:.{digits}g}"
