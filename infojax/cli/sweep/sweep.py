"""`infojax sweep`: an experiment for many configs."""

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from infojax.cli.sweep.options import Options, assignments, parse
from infojax.errors import DataWarning, InvalidInput
from infojax.files import shown

SOME_FAILED = 1


def main(args: Sequence[str]) -> int:
    """Run a sweep. The options depend on the experiment and the engine, so they are read here.

    Returns:
        The exit code: 0 when all results are there, 1 when some configs failed.
    """
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m experiments` does
    named = bool(args) and not args[0].startswith("-")
    experiment = args[0] if named else None
    options, own = parse(args[named:], "infojax sweep", experiment)
    if experiment is None:
        raise InvalidInput("name the experiment first: infojax sweep EXPERIMENT …; infojax sweep --help lists them")
    return _sweep(experiment, options, own)


def _sweep(experiment: str, options: Options, own: Any) -> int:
    from infojax.cli.sweep.screen import planning, summary, tell_failures, telling
    from infojax.sweeps import carry_out, find, hides, plan

    if options.retries < 0:
        raise InvalidInput(f"--retries {options.retries} is not allowed; give 0 or more")
    engine = find(options.engine)
    with planning(experiment) as tell_plan:
        configs = _configs(experiment, options, tell_plan)
        planned = plan(experiment, configs, options.results, options.package, tell_plan)
    if said := hides(options.package):
        warnings.warn(said, DataWarning, stacklevel=2)
    for damage in planned.damaged.values():
        print(shown(f"computed again: {damage}"), file=sys.stderr)
    if options.dry_run:
        return _tell_plan(planned, own)
    engine.check(own)
    with telling(experiment) as tell:
        report = carry_out(planned, engine, own, options.retries, options.fail_fast, tell)
    tell_failures(report)
    print(summary(report))
    return 0 if report.complete() else SOME_FAILED


def _configs(experiment: str, options: Options, tell: Callable[[str, int, int], None]) -> list[Any]:
    from infojax.sweeps import design, load_experiment, read_rows

    presets = load_experiment(experiment, options.package).PRESETS
    if options.preset not in presets:
        raise InvalidInput(f"experiment {experiment!r} has no preset {options.preset!r}; it has {', '.join(presets)}")
    config = presets[options.preset]
    return design(
        config,
        fixed=assignments("set", options.set),
        over=assignments("over", options.over),
        zipped=assignments("zip", options.zip),
        random=assignments("random", options.random),
        samples=options.samples,
        seed=options.design_seed,
        rows=None if options.rows is None else read_rows(options.rows, config),
        tell=tell,
    )


def _tell_plan(planned: Any, own: Any) -> int:
    sizes = planned.sizes(own.parallel)
    print(f"{planned.experiment}: {len(planned.configs)} configs, {len(planned.found)} stored, {sum(sizes)} to compute")
    if planned.damaged:
        print(f"of these, {len(planned.damaged)} are stored but damaged")
    if sizes:
        batches = f"in {len(sizes)} batches of {min(sizes)} to {max(sizes)}" if max(sizes) > 1 else "one by one"
        print(f"{batches}, {own.parallel} at once")
    return 0
