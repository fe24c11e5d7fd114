"""What a sweep reports, and what it stored."""

from infojax.sweeps import grid, load_experiment


def counts(report):
    return {state: report.count(state) for state in ("computed", "found", "failed")}


def values(run, over, name="probe"):
    configs = grid(load_experiment(name, run.package).PRESETS["quick"], over)
    return [run.store.tables(name, config)["values"]["value"][0] for config in configs]
