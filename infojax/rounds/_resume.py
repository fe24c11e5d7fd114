"""The state in which a run begins, or in which it was interrupted."""

import jax
import jax.numpy as jnp
import numpy as np

from infojax.errors import CorruptData, InvalidInput
from infojax.rounds._additions import read_addition
from infojax.rounds._history import Evaluation
from infojax.rounds._plan import Patience
from infojax.rounds._run import Run, RunState
from infojax.rounds._run_store import from_leaves
from infojax.training import log_probabilities


def resume(run: Run) -> RunState:
    """From the run's store, or the beginning where nothing is kept.

    Raises:
        InvalidInput: a learner with another number of classes than the validation data; a store of another run.
        CorruptData: a store that lacks a file.
    """
    start = _start(run)
    saved = run.store.read("state")
    if saved is None:
        return start
    # A function has no fingerprint, but what it computes tells; loosely, as devices round differently.
    if not np.allclose(saved["untrained"], start.untrained, rtol=1e-2, atol=1e-3):
        raise InvalidInput(
            f"The checkpoint {run.store.folder} was made with a network that computes other outputs from the same "
            "parameters. Give that network to go on from it; delete it, or give another folder, to begin anew."
        )
    additions = [read_addition(run.store, number, start.state) for number in range(int(saved["additions"]))]
    if None in additions:
        lost = additions.index(None)
        raise CorruptData(f"{run.store.folder} lacks the file of addition {lost}; delete the folder to begin anew.")
    columns = [saved[name].tolist() for name in Evaluation._fields]
    return start._replace(
        state=from_leaves(saved, start.state),
        patience=Patience(int(saved["waited_so_far"]), float(saved["best"])),
        additions=tuple(filter(None, additions)),
        evaluated=tuple(Evaluation(*row) for row in zip(*columns, strict=True)),
    )


def _start(run: Run) -> RunState:
    validation = run.validation
    state = run.trainer.begin(jax.random.fold_in(run.key, 0), validation.x.shape[1:])
    log_p = np.asarray(jax.jit(log_probabilities)(run.trainer.learner(state), jnp.asarray(validation.x[:16])))
    if log_p.shape[1] != len(validation.classes):
        raise InvalidInput(
            f"{run.policy}: the learner tells {log_p.shape[1]} classes apart, the validation data have "
            f"{len(validation.classes)}; give the network that many outputs, or one for two classes."
        )
    return RunState(state, Patience(), (), (), log_p)
