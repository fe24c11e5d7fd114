"""Training a denoiser: AdamW, an average of the parameters, and checkpoints from which it goes on to the same bits."""

import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from rich.progress import Progress

from infojax.arrays import plain_array
from infojax.errors import InvalidInput
from infojax.files import fingerprint
from infojax.generation._generator import Generator, Labels
from infojax.generation.denoisers.denoiser import Architecture, Denoiser
from infojax.generation.denoisers.orbax_checkpoint import OrbaxCheckpoint
from infojax.generation.sampling.schedule import Schedule
from infojax.models import Params
from infojax.training import AdamW, Rate, Recipe, TrainingSet, advance, begin, trained_parameters, training_set

_RECORDED = 200  # steps from one record of the losses to the next, which one dispatch runs
_VALIDATED = 1024  # held-out examples that the validation loss looks at


class DenoiserTraining(NamedTuple):
    """A trained generator, and how the training went.

    Attributes:
        generator: with the averaged parameters.
        steps: (r,) after which the losses were recorded.
        loss: (r,) mean squared error of v over the steps since the last record, of the parameters as they were.
        validation_loss: (r,) the same on held-out examples, of the averaged parameters; NaN where none are given.
    """

    generator: Generator
    steps: Int[np.ndarray, " r"]
    loss: Float[np.ndarray, " r"]
    validation_loss: Float[np.ndarray, " r"]


@dataclass(frozen=True)
class Forgetting:
    """m ← d m + (1 − d) w, with d = min(decay, (1 + i)/(10 + i)) at step i, so that the start is forgotten."""

    decay: float

    def __call__(self, mean: Array, params: Array, step: Int[Array, ""]) -> Array:
        decay = jnp.minimum(self.decay, (1.0 + step) / (10.0 + step))
        return decay * mean + (1 - decay) * params


@dataclass(frozen=True)
class DenoisingObjective:
    """Of examples drawn with replacement, some of which are shown as of any class.

    Attributes:
        denoiser: whose parameters are trained.
        batch: examples at a time.
        drop_label: the share that is shown as of any class.
    """

    denoiser: Denoiser
    batch: int
    drop_label: float

    def __call__(self, params: Params, data: TrainingSet, key: PRNGKeyArray) -> Float[Array, ""]:
        rows, dropped, noised = jax.random.split(key, 3)
        chosen = jax.random.randint(rows, (self.batch,), 0, len(data.x))
        free = jax.random.bernoulli(dropped, self.drop_label, (self.batch,))
        label = jnp.where(free, self.denoiser.classes, data.y[chosen])
        return denoising_loss(self.denoiser, params, data.x[chosen], label, noised)


def train_denoiser(
    x: Float[Array | np.ndarray, "n ..."],
    y: Int[Array | np.ndarray, " n"],
    *,
    classes: int,
    network: Architecture,
    schedule: Schedule,
    steps: int,
    key: PRNGKeyArray,
    batch: int = 256,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-4,
    drop_label: float = 0.1,
    averaging: float = 0.999,
    held_out: tuple[Float[Array | np.ndarray, "m ..."], Int[Array | np.ndarray, " m"]] | None = None,
    checkpoint: Path | None = None,
    save_every: float = 60.0,
    progress: Progress | None = None,
) -> DenoiserTraining:
    """Fit a denoiser to examples x (n, *shape) of classes y, by the mean squared error of v at times even in [0, 1].

    AdamW; the learning rate rises over the first tenth of the steps and falls to 0 along a cosine; gradients are cut to
    norm 1. Batches are drawn with replacement. What step i draws depends on the key and on i alone.

    Args:
        x: scaled so that its values are of the size of 1.
        drop_label: the share of examples that are shown as of any class, for classifier-free guidance.
        averaging: of the parameters, over about 1/(1 − averaging) steps, fewer at the start.
        held_out: examples and classes for the validation loss; the first 1,024 are looked at.
        checkpoint: a folder for the state of the training, from which the same call goes on, to the same bits on the
            same machine. Ctrl-C leaves there what was done.
        save_every: seconds between checkpoints.

    Raises:
        InvalidInput: examples, labels or numbers out of range; a network that does not take the examples; a checkpoint
            of other data or another configuration; a loss that is no longer finite.
        CorruptData: a checkpoint that is damaged.

    >>> from infojax.generation import ResidualMLP, cosine
    >>> x, y = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32), np.arange(100) % 2
    >>> trained = train_denoiser(x, y, classes=2, network=ResidualMLP(8, 1), schedule=cosine(), steps=10, batch=32,
    ...                          key=jax.random.key(0))
    >>> trained.generator.noise(jnp.ones((3, 2)), jnp.asarray(0.5), jnp.array([0, 1, 2])).shape
    (3, 2)
    """
    x, y = _checked(x, y, classes)
    numbers = {"steps": steps, "batch": batch, "learning_rate": learning_rate, "weight_decay": weight_decay}
    numbers |= {"drop_label": drop_label, "averaging": averaging}
    _check_numbers(numbers)
    denoiser = Denoiser(network, x.shape[1:], classes, schedule)
    start, drawn = jax.random.split(key)
    validated = None if held_out is None else tuple(a[:_VALIDATED] for a in _checked(*held_out, classes))
    if validated is not None and validated[0].shape[1:] != x.shape[1:]:
        raise InvalidInput(f"held_out: examples of shape {validated[0].shape[1:]}, but x has {x.shape[1:]}")
    table = np.asarray(schedule.log_snr(jnp.linspace(0.0, 1.0, 101)))
    network_is = {"name": type(network).__name__, **asdict(network)}  # pyright: ignore[reportArgumentType]
    mark = fingerprint(x, y, validated, network_is, table, numbers, classes, np.asarray(jax.random.key_data(key)))

    # The rate rises over the first tenth of the steps, and would be 0 one step after the last.
    warm = max(steps // 10, 1)
    recipe = Recipe(
        steps,
        Rate(float(learning_rate), warm, warm, steps + 1 - warm),
        optimizer=AdamW(weight_decay, b2=0.99, clip=1.0),
        average=Forgetting(averaging),
    )
    objective, data = DenoisingObjective(denoiser, batch, drop_label), training_set(x, y)
    state = begin(recipe, denoiser.init(start))
    records = np.full((-(-steps // _RECORDED), 2), np.nan, np.float32)
    store = None if checkpoint is None else OrbaxCheckpoint(Path(checkpoint), mark)
    done = 0
    if store is not None and (found := store.read((state, records))) is not None:
        done, (state, records) = found
        state = jax.tree.map(jnp.asarray, state)
    saved, last = done, time.monotonic()
    task = progress.add_task("training a denoiser", total=steps, completed=done) if progress else None
    try:
        while done < steps:
            until = min(done + _RECORDED, steps)
            keys = jax.vmap(partial(jax.random.fold_in, drawn))(jnp.arange(done, until))
            following, losses = advance(recipe, objective, state, data, keys)
            loss = float(losses.mean())
            if not np.isfinite(loss):
                raise InvalidInput(
                    f"train_denoiser: the loss is not finite between steps {done} and {until}; lower "
                    f"learning_rate={learning_rate}, or check that x is of the size of 1"
                )
            held = np.nan if validated is None else _validate(denoiser, following.mean, *validated, drawn)
            records = records.copy()
            records[done // _RECORDED] = loss, float(held)
            state, done = following, until
            if progress is not None and task is not None:
                progress.update(task, completed=done)
            if store is not None and (done == steps or time.monotonic() - last > save_every):
                store.write(done, (state, records))
                saved, last = done, time.monotonic()
    finally:
        if store is not None and saved < done:
            store.write(done, (state, records))
    ends = np.minimum(np.arange(1, len(records) + 1) * _RECORDED, steps)
    generator = Generator(denoiser, trained_parameters(recipe, state), x.shape[1:], classes, schedule)
    return DenoiserTraining(generator, ends, records[:, 0], records[:, 1])


def denoising_loss(
    denoiser: Denoiser, params: Params, x: Float[Array, "b ..."], label: Labels, key: PRNGKeyArray
) -> Float[Array, ""]:
    """Mean squared error of v at noise drawn now: one time in each of b even parts of [0, 1]."""
    at, noised = jax.random.split(key)
    within = jax.random.uniform(at, (len(x),))
    t = (jnp.arange(len(x), dtype=within.dtype) + within) / len(x)
    eps = jax.random.normal(noised, x.shape, x.dtype)
    wide = (-1, *[1] * (x.ndim - 1))
    signal = jnp.sqrt(denoiser.schedule.signal(t)).astype(x.dtype).reshape(wide)
    noise = jnp.sqrt(denoiser.schedule.noise(t)).astype(x.dtype).reshape(wide)
    log_snr = denoiser.schedule.log_snr(t).astype(x.dtype)
    # v = √ξ ε − √(1 − ξ) x₀ at x_t = √ξ x₀ + √(1 − ξ) ε
    predicted = denoiser.velocity(params, signal * x + noise * eps, log_snr, label)
    return jnp.mean((predicted - (signal * eps - noise * x)) ** 2)


_validate = jax.jit(denoising_loss, static_argnums=0)


def _checked(x: Any, y: Any, classes: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = plain_array("x", x), plain_array("y", y)
    if x.ndim < 2 or len(x) < 1 or x.dtype.kind != "f" or not np.isfinite(x).all():
        raise InvalidInput(f"x: shape {x.shape}, {x.dtype}; give finite floats (n, ...), at least one example")
    if y.shape != (len(x),) or y.dtype.kind not in "iu" or not ((y >= 0) & (y < classes)).all():
        raise InvalidInput(
            f"y: shape {y.shape}, {y.dtype}, for {len(x)} examples of {classes} classes; give one integer each, "
            f"0 to {classes - 1}"
        )
    return x, y


def _check_numbers(numbers: dict[str, Any]) -> None:
    allowed = {
        "steps": numbers["steps"] >= 1,
        "batch": numbers["batch"] >= 1,
        "learning_rate": 0 < numbers["learning_rate"] < np.inf,
        "weight_decay": 0 <= numbers["weight_decay"] < np.inf,
        "drop_label": 0 <= numbers["drop_label"] <= 1,
        "averaging": 0 <= numbers["averaging"] < 1,
    }
    for name, right in allowed.items():
        if not right:
            raise InvalidInput(
                f"train_denoiser: {name}={numbers[name]}; give steps and batch ≥ 1, learning_rate > 0, "
                "weight_decay ≥ 0, drop_label in [0, 1] and averaging in [0, 1)"
            )
