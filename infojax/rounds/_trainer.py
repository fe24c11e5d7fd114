"""How a learner is trained between two evaluations: all that the loop of deliberate practice asks of it."""

from typing import Protocol, runtime_checkable

from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from infojax.training import Learner, TrainingSet

State = PyTree[Array]


@runtime_checkable
class Trainer(Protocol):
    """`Descent` by minibatches, or `RidgeFit` in closed form, or the user's own: a value and pure functions of it.

    A frozen dataclass, by whose fields a checkpoint knows that it belongs to this training.
    """

    @property
    def evaluations(self) -> int:
        """How often the learner is evaluated, in a whole run."""
        ...

    @property
    def stable(self) -> int:
        """The number of evaluations until the cool-down, before which data may be added."""
        ...

    @property
    def gradients(self) -> int:
        """Examples whose gradient is taken from one evaluation to the next; what training costs."""
        ...

    def begin(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> State:
        """The state before training, for examples of this shape: arrays, in any pytree."""
        ...

    def advance(self, state: State, data: TrainingSet, key: PRNGKeyArray) -> tuple[State, Float[Array, ""]]:
        """The state at the next evaluation, and the mean loss on the way. Deterministic, compiled once."""
        ...

    def learner(self, state: State) -> Learner:
        """What is evaluated, whose entropy guides, and what the run ends with."""
        ...
