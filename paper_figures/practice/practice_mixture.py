"""Error against the number of examples by policy, beside the paper's own curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, Mean, bars_note, mean_of, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.practice.practice_mixture import Config

TITLE = "Scaling of deliberate practice, where the score is exact"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), Fig. 1"
EXPERIMENT = "practice_mixture"

POLICIES = {
    "static": "static",
    "uniform": "unguided additions",
    "frozen": "guided by the first learner",
    "practice": "deliberate practice",
}
# The paper's Fig. 1: real validation accuracy in per cent, ViT-B, LDM-1.5
IMAGENET_100 = {
    "deliberate practice": {
        80e3: 59.48, 96e3: 60.54, 112e3: 61.80, 128e3: 62.68, 160e3: 64.40, 256e3: 65.52, 320e3: 66.28, 416e3: 66.92,
        640e3: 67.80, 910e3: 68.28, 1.79e6: 68.46, 3.14e6: 68.88,
    },
    "static": {64e3: 56.56, 130e3: 59.44, 260e3: 60.02, 400e3: 61.92, 2e6: 62.16, 4e6: 62.32},
}  # fmt: skip
IMAGENET_1K = {
    "deliberate practice": {
        320e3: 42.57, 480e3: 44.88, 640e3: 47.91, 1.31e6: 50.23, 1.96e6: 50.67, 7.8e6: 50.91, 13.1e6: 51.20
    },
    "static": {320e3: 39.33, 654e3: 42.51, 1.3e6: 44.12, 2.6e6: 45.01, 10e6: 45.61, 13e6: 45.63},
}  # fmt: skip

THEIRS = {"ImageNet-100": IMAGENET_100, "ImageNet-1k": IMAGENET_1K}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("full", columns=3, height_to_width=1.2):
        figure, axes = plt.subplots(1, 3, layout="constrained", width_ratios=[1.5, 1, 1])
        _ours(axes[0], tables, config)
        for axis, (name, curves) in zip(axes[1:], THEIRS.items(), strict=True):
            for label, points in curves.items():
                index = list(POLICIES.values()).index(label)
                look = {"color": PALETTE[index], "linestyle": LINES[index], "marker": MARKERS[index]}
                axis.semilogx(list(points), list(points.values()), **look)
            axis.set(title=f"the paper's: {name}\n(other data, not reproduced)", xlabel="examples")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=7)
        bars_note(figure, f"{config.runs} runs", also=_ahead(tables["runs"], config))
    return figure


def _ahead(runs: pl.DataFrame, config: Config) -> str:
    """Which of pruning and practice is ahead at the largest size, said on the figure."""
    ends = {}
    for policy in ("practice", *(f"prune {r:g}" for r in config.over_sampling)):
        errors = runs.filter(policy=policy, examples=max(config.sizes))["error"]
        if not errors.is_empty():
            ends[policy] = mean_of(errors)
    if "practice" not in ends or len(ends) < 2:
        return ""
    rival = min((policy for policy in ends if policy != "practice"), key=lambda policy: ends[policy].mean)
    ahead = 100 * (ends["practice"].mean - ends[rival].mean)
    error = 100 * np.hypot(*(end.mean - end.low for end in (ends["practice"], ends[rival])))
    first, second = ("pruning", "practice") if ahead > 0 else ("practice", "pruning")
    return f"At {max(config.sizes)} examples {first} is ahead of {second} by {abs(ahead):.1f} ± {error:.1f} points."


def _ours(axis: Axes, tables: dict[str, pl.DataFrame], config: Config) -> None:
    names = POLICIES | {f"prune {r:g}": f"pruned, 1 of {r:g} kept" for r in config.over_sampling}
    for index, (policy, label) in enumerate(names.items()):
        runs = tables["runs"].filter(policy=policy).group_by("examples").agg("error").sort("examples")
        means = [mean_of(errors) for errors in runs["error"]]
        axis.errorbar(
            runs["examples"],
            [100 * (1 - mean.mean) for mean in means],
            np.transpose([[100 * bar[0] for bar in mean.bar] for mean in means]),
            color=PALETTE[index],
            marker=MARKERS[index],
            linestyle=LINES[index],
            label=label,
        )
    best = 100 * tables["best"]["error"].item()
    axis.set(xscale="log", xlabel="examples trained on", ylabel="accuracy on real data (%)")
    axis.set_title(f"ours: a mixture of Gaussians\n(at best {100 - best:.2f} %)")
    axis.set_xticks(config.sizes, [str(size) for size in config.sizes])
    axis.minorticks_off()


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """Errors by policy and size, how many static examples practice is worth, and the paper's numbers."""
    rows = []
    means = tables["runs"].group_by("policy", "examples", maintain_order=True).agg("error", pl.mean("generated"))
    for row in means.iter_rows(named=True):
        what = f"error (%), {row['policy']}, {row['examples']} examples"
        note = f"{row['generated']:.0f} generated; {len(row['error'])} seeds"
        rows.append((what, str(mean_of(np.multiply(row["error"], 100))), "", note))
    note = "where the static curve is as low"
    rows += [(f"static examples worth {n} of practice", _worth(means, n), "", note) for n in config.sizes]
    note = "real accuracy, the paper's"
    rows += [
        (f"{name}, {label}, {size:g}", "not reproduced", f"{accuracy:.2f} %", note)
        for name, curves in THEIRS.items()
        for label, points in curves.items()
        for size, accuracy in points.items()
    ]
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def _worth(means: pl.DataFrame, size: int) -> str:
    """The number of static examples with the mean error of practice, interpolated in both logarithms."""
    curves = {
        policy: [(row[1], np.mean(row[2])) for row in means.filter(policy=policy).sort("examples").iter_rows()]
        for policy in ("static", "practice")
    }
    sizes, errors = np.log(np.transpose(curves["static"]))
    wanted = np.log(dict(curves["practice"])[size])
    if wanted < errors.min():
        return f"more than {np.exp(sizes[-1]):.0f}"
    return f"{np.exp(np.interp(-wanted, -errors, sizes)):.0f}"


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    policies = [*POLICIES, *(f"prune {ratio:g}" for ratio in config.over_sampling)]
    means = {
        policy: {
            size: mean_of(errors)
            for size, errors in tables["runs"].filter(policy=policy).group_by("examples").agg("error").iter_rows()
        }
        for policy in policies
    }
    sizes, most = config.sizes, max(config.sizes)
    practice, static, uniform, frozen = (means[policy] for policy in ("practice", "static", "uniform", "frozen"))
    pruned = means[f"prune {config.over_sampling[0]:g}"]
    ahead = [size for size in sizes if practice[size].below(static[size])]
    alike = [size for size in sizes if not (uniform[size].below(static[size]) or static[size].below(uniform[size]))]
    return (
        Finding(
            "Deliberate practice has a lower error than static data at every number of examples, error bars apart.",
            len(ahead) == len(sizes),
            f"{len(ahead)} of {len(sizes)}; at {most} examples {_error(practice[most])} against {_error(static[most])}",
        ),
        Finding(
            "Unguided additions at the same triggers are neither better nor worse than static data.",
            len(alike) == len(sizes),
            f"error bars overlap at {len(alike)} of {len(sizes)} sizes",
        ),
        Finding(
            f"At {most} examples a learner that guides for ever is worth less than one that is replaced.",
            practice[most].below(frozen[most]),
            f"{_error(frozen[most])} against {_error(practice[most])}",
        ),
        Finding(
            f"At {most} kept examples, keeping the hardest of {config.over_sampling[0]:g} is better than guidance.",
            pruned[most].below(practice[most]),
            f"{_error(pruned[most])} against {_error(practice[most])}",
        ),
    )


def _error(error: Mean) -> str:
    return f"{100 * error.mean:.2f} % ({100 * error.low:.2f} to {100 * error.high:.2f})"


def remarks(config: Config) -> str:
    return f"""
    ImageNet is not reproduced: no such data, generator or hardware here. The paper's points are drawn as it gives
    them. Ours is the same algorithm where all but the learner is exact: {config.problem.classes} classes of
    {config.problem.modes} Gaussians each in {config.problem.dimension} dimensions, their score in closed form, a
    perceptron with two hidden layers of {config.learner.width}, {config.runs} seeds, error bars of one standard
    error, and {config.problem.n_test} test examples from the mixture itself. All runs have
    {config.learner.iterations} iterations, with as many examples in a minibatch; ω = {config.strength:g}.

    Plug-in guidance is no exact tilt, so that pruning and guidance differ beyond their costs, which are in the figure
    practice_costs.
    """
