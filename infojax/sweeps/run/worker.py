"""How a unit of work is done, wherever an engine has brought it.

An engine is a function `run(units, options)` that calls `work(unit)` once for each unit, wherever it likes and in any
order, and yields what each returned as it comes. It need not know what is stored, nor who else computes: `work` looks
before it computes, so a unit may be done twice without harm. For a process that died in the middle of a unit the engine
asks `after_death` what to do.
"""

from dataclasses import replace

from infojax.sweeps.run.unit import Outcome, Unit


def work(unit: Unit) -> list[Outcome]:
    """Compute what the store lacks of a unit, and store it. Returns an outcome for each config, in their order.

    A config that fails is an outcome, not an exception, and its traceback is kept beside the results.
    """
    # The engine's process imports JAX here and not before, with the devices and threads that the engine gave it.
    from infojax.sweeps.run.task import do

    return do(unit)


def after_death(unit: Unit, reason: str) -> tuple[list[Unit], list[Outcome]]:
    """What is to be done about a unit whose process died: units to run now, and configs that have failed for good.

    Configs of a batch are run one by one from then on, so that one that kills its process fails alone; the batch does
    not count as an attempt. `reason` is a line such as "the process died (signal 9)".
    """
    if len(unit.configs) > 1:
        pairs = zip(unit.configs, unit.addresses, strict=True)
        return [replace(unit, configs=(config,), addresses=(address,)) for config, address in pairs], []
    tried = replace(unit, attempts=unit.attempts + 1)
    if tried.attempts <= unit.retries:
        return [tried], []
    from infojax.sweeps.store.failures import note

    note(tried, 0, reason, reason, tried.attempts)
    return [], [Outcome(unit.addresses[0], "failed", attempts=tried.attempts, error=reason)]
