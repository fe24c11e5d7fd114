"""A training's state in a folder, through Orbax, that knows what it belongs to and whether it is whole."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from infojax.checkpoint import fingerprint
from infojax.errors import CorruptData, InvalidInput


class OrbaxCheckpoint:
    """The newest state of one training. Writing is whole or not at all; the state before is deleted afterwards.

    Args:
        folder: of this training alone.
        mark: a fingerprint of data and configuration.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        import orbax.checkpoint as ocp

        self._folder, self._mark = folder.expanduser().absolute(), mark
        self._options = ocp.CheckpointManagerOptions(max_to_keep=1, create=True, enable_async_checkpointing=False)

    def _manager(self) -> Any:
        import orbax.checkpoint as ocp

        return ocp.CheckpointManager(self._folder, options=self._options)

    def write(self, step: int, state: Any) -> None:
        """Any pytree of arrays."""
        import orbax.checkpoint as ocp

        about = {"mark": self._mark, "digest": fingerprint(state)}
        with self._manager() as manager:
            manager.save(
                step, args=ocp.args.Composite(state=ocp.args.StandardSave(state), about=ocp.args.JsonSave(about))
            )

    def read(self, like: Any) -> tuple[int, Any] | None:
        """Step and state, arrays as in `like`; None where nothing was written yet.

        Raises:
            InvalidInput: written for another mark.
            CorruptData: not what was written.
        """
        import orbax.checkpoint as ocp

        if not self._folder.exists():
            return None
        advice = "delete it to begin anew, or give another folder"
        if not self._folder.is_dir():
            raise InvalidInput(f"The checkpoint {self._folder} is a file; {advice}.")
        try:
            with self._manager() as manager:
                step = manager.latest_step()
                if step is None:
                    return None
                about = manager.restore(step, args=ocp.args.Composite(about=ocp.args.JsonRestore()))["about"]
                if about["mark"] != self._mark:
                    raise InvalidInput(
                        f"The checkpoint {self._folder} belongs to other data or another configuration (fingerprint "
                        f"{about['mark'][:8]}, now {self._mark[:8]}); give the inputs it was made with, or {advice}."
                    )
                shapes = jax.tree.map(np.asarray, like)
                state = manager.restore(step, args=ocp.args.Composite(state=ocp.args.StandardRestore(shapes)))["state"]
        except InvalidInput:
            raise
        except Exception as error:  # Orbax and TensorStore raise what the damage happens to lead to
            raise CorruptData(
                f"The checkpoint {self._folder} cannot be read ({type(error).__name__}: {str(error)[:200]}); {advice}."
            ) from error
        if fingerprint(state) != about["digest"]:
            raise CorruptData(f"The checkpoint {self._folder} is not what was written; {advice}.")
        return step, state
