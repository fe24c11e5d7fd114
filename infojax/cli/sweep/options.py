"""The options of `infojax sweep`, and how an experiment's fields are shown below them."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from infojax.errors import InvalidInput
from infojax.sweeps import ENGINES, describe, find, types_of

Assignments = Annotated[
    tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]],
    tyro.conf.arg(metavar="FIELD=VALUES ...", help_behavior_hint=""),
]
DESCRIPTION = (
    "Run an experiment for many configs, the combinations of --over, --zip, --random and --list. What is stored "
    "already is not run again: start the same command again, with this engine or another, to go on with a sweep."
)
EXAMPLES = """
VALUES are 0.1,0.2 or ranges: 0..9 (whole numbers), 0..1:11 (how many), 1e-4..1:9:log. A tuple has brackets: '(1,2)'.

  infojax sweep ridge_law --over ridge=1e-3,1e-2 kept=0.1..0.9:9 seed=0..4
  infojax sweep ridge_law --zip generator=1,0.9 ratio=0.1,0.5 --set rule=easy --preset paper
  infojax sweep ridge_law --random ridge=1e-4..1:log kept=0.05..1 --samples 100 --workers 2
  infojax sweep ridge_law --list configs.csv --retries 1 --dry-run
  infojax results export ridge_law

Exit codes: 0 all results are there, 1 some configs failed, 2 refused before anything ran, 130 interrupted.
"""
Flag = tyro.conf.FlagCreatePairsOff[bool]


@dataclasses.dataclass(frozen=True)
class Options:
    """Which configs, and how."""

    over: Assignments = ()
    """Every combination of these values."""
    zip: Assignments = ()
    """These go together: the first value of each, the second of each, and so on."""
    random: Assignments = ()
    """Draw each field from low..high, low..high:log or a list."""
    samples: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """How many configs --random draws."""
    design_seed: int = 0
    """Seed of --random; more samples of the same seed begin with the same configs."""
    rows: Annotated[Path | None, tyro.conf.arg(name="list", metavar="FILE", help_behavior_hint="")] = None
    """A config in each row of a CSV, JSON lines or Parquet file, whose columns are fields."""
    set: Assignments = ()
    """One value for all configs."""
    preset: str = "quick"
    """What fields default to."""
    results: Path = Path("results")
    """The folder that results are stored in; processes and machines may share it."""
    package: str = "experiments"
    """The package that the experiment is a module of."""
    retries: int = 0
    """How often a config that failed is tried again."""
    fail_fast: Flag = False
    """Stop at the first failure, rather than do what else can be done."""
    dry_run: Flag = False
    """Say what would be run, and run nothing."""
    engine: Literal["local", "ray", "slurm"] = "local"
    """Who runs it: this machine, a Ray cluster, a Slurm cluster. Each has options of its own, see its --help."""


def parse(args: Sequence[str], prog: str, experiment: str | None) -> tuple[Options, Any]:
    """The options of a sweep and those of its engine. Leaves through SystemExit as tyro does."""
    engine = find(_engine(args))
    fields = [
        ("sweep", tyro.conf.OmitArgPrefixes[Options]),
        ("own", Annotated[engine.Options, tyro.conf.arg(name="")], dataclasses.field(default=engine.Options())),
    ]
    both = dataclasses.make_dataclass("Arguments", fields)
    named = f"{prog} {experiment or 'EXPERIMENT'}"
    try:
        chosen: Any = tyro.cli(both, prog=named, args=list(args), default=both(Options()), description=DESCRIPTION)
    except SystemExit:
        if "--help" in args or "-h" in args:
            print(EXAMPLES)
            show_fields(experiment, _value(args, "--package", "experiments"))
        raise
    return chosen.sweep, chosen.own


def assignments(option: str, given: Sequence[Sequence[str]]) -> dict[str, str]:
    """FIELD=VALUES, each field once. Raises InvalidInput for what is none."""
    found: dict[str, str] = {}
    for text in (text for group in given for text in group):
        name, sign, values = text.partition("=")
        if not sign or not name:
            raise InvalidInput(f"--{option} {text}: expected FIELD=VALUES, without spaces, such as seed=0..4")
        if name in found:
            raise InvalidInput(f"the field {name!r} is given twice; give all its values at once, {name}=1,2")
        found[name] = values
    return found


def show_fields(experiment: str | None, package: str) -> None:
    """The fields of an experiment, or the experiments that there are, as a table on stdout."""
    from rich.markup import escape
    from rich.table import Table

    from infojax.files import Console
    from infojax.sweeps import batched_fields, load_experiment, summaries

    if experiment is None:
        table = Table("EXPERIMENT", "what it measures", title="experiments", title_justify="left")
        for name, summary in summaries(package).items():
            table.add_row(name, escape(summary))
    else:
        module = load_experiment(experiment, package)
        config, words, batched = module.PRESETS["quick"], _words(module.Config), batched_fields(module)
        title = f"fields of {experiment}, with those of the quick preset; * are computed together"
        table = Table("FIELD", "type", "quick", "what it is", title=title, title_justify="left")
        for name, kind in types_of(config).items():
            value = str(getattr(config, name))
            row = (describe(kind), value, words.get(name, ""))
            table.add_row(name + " *" * (name in batched), *map(escape, row))
    Console().print(table)


def _words(config: type) -> dict[str, str]:
    """The words under each field of a dataclass, from its source."""
    try:
        tree: Any = ast.parse(textwrap.dedent(inspect.getsource(config))).body[0]
    except (OSError, SyntaxError):
        return {}
    found = {}
    for field, after in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[ast.unparse(field.target)] = " ".join(str(after.value.value).split())
    return found


def _engine(args: Sequence[str]) -> str:
    name = _value(args, "--engine", "local")
    return name if name in ENGINES else "local"  # tyro refuses an unknown one


def _value(args: Sequence[str], option: str, default: str) -> str:
    for at, word in enumerate(args):
        if word == option and at + 1 < len(args):
            return args[at + 1]
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return default
