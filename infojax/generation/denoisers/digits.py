"""Generators of handwritten digits that infojax trains itself, once for a machine, on training examples alone."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from rich.progress import Progress

from infojax.data import Dataset, digest, load, store, stored, storing_folder
from infojax.files import Console, fingerprint
from infojax.generation._generator import Generator
from infojax.generation.denoisers.denoiser import Denoiser, PatchMixer, ResidualMLP
from infojax.generation.denoisers.fitting import DenoiserTraining, train_denoiser
from infojax.generation.sampling.schedule import cosine

SCHEDULE = cosine()


@dataclass(frozen=True)
class Recipe:
    """How a generator is trained; another recipe trains again."""

    name: str
    shape: tuple[int, int, int]
    network: ResidualMLP | PatchMixer
    steps: int
    batch: int
    learning_rate: float
    averaging: float
    seed: int = 0


DIGITS = Recipe("digits-generator", (8, 8, 1), ResidualMLP(256, 3), 2000, 128, 2e-3, 0.995)
MNIST = Recipe("mnist-generator", (28, 28, 1), PatchMixer(4, 64, 192, 6), 6000, 128, 3e-3, 0.999)
CLASSES = 10


def digits_parts() -> tuple[Dataset, Dataset]:
    """1,000 of the embedded digits, which `digits_generator` is trained on, and the 797 that it is not."""
    return load("digits").split(1000, 797, seed=0)


def mnist_parts() -> tuple[Dataset, Dataset]:
    """The 60,000 training examples of MNIST, which `mnist_generator` is trained on, and the 10,000 test examples.

    Raises:
        DataNotFound: when they are not on this machine.
    """
    return load("mnist"), load("mnist", split="test")


def from_pixels(x: Float[Array | np.ndarray, "*shape"]) -> Float[Array | np.ndarray, "*shape"]:
    """Pixels in [0, 1], as data sets have them → [−1, 1], as these generators have them."""
    return 2 * x - 1


def to_pixels(x: Float[Array | np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """What a generator drew, in about [−1, 1] → pixels in [0, 1]; what is beyond is cut off.

    >>> to_pixels(np.array([-1.0, 0.5, 1.1]))
    array([0.  , 0.75, 1.  ])
    """
    return np.clip((np.asarray(x) + 1) / 2, 0, 1)


def digits_generator() -> Generator:
    """Of 8 × 8 × 1 digits with values in [−1, 1]: as it lies on this machine, or trained now, in half a minute.

    Raises:
        CorruptData: when the weights that are there are damaged.
    """
    return _generator(DIGITS, digits_parts)


def mnist_generator() -> Generator:
    """Of 28 × 28 × 1 digits with values in [−1, 1]: as it lies on this machine, or trained now, in half an hour.

    A training that was interrupted goes on where it was.

    Raises:
        DataNotFound: when it must be trained and MNIST is not on this machine.
        CorruptData: when the weights, or the training, that are there are damaged.
    """
    return _generator(MNIST, mnist_parts)


def _generator(recipe: Recipe, parts: Callable[[], tuple[Dataset, Dataset]]) -> Generator:
    denoiser = Denoiser(recipe.network, recipe.shape, CLASSES, SCHEDULE)
    written = json.loads(json.dumps(asdict(recipe)))  # tuples are lists there
    arrays = stored(recipe.name, written)
    if arrays is None:
        console = Console(stderr=True)
        folder = storing_folder() / f".{recipe.name}-{fingerprint(asdict(recipe))[:8]}.training"
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            trained, record = _train(recipe, *parts(), folder, progress)
        arrays = jax.tree.map(np.asarray, _flat(trained.generator.params))
        store(recipe.name, arrays, record | {"recipe": written})
        shutil.rmtree(folder, ignore_errors=True)
    template = jax.eval_shape(denoiser.init, jax.random.key(0))
    params = jax.tree.unflatten(jax.tree.structure(template), [jnp.asarray(arrays[name]) for name in _flat(template)])
    return Generator(denoiser, params, recipe.shape, CLASSES, SCHEDULE)


def _train(
    recipe: Recipe, train: Dataset, unseen: Dataset, folder: Path, progress: Progress
) -> tuple[DenoiserTraining, dict[str, Any]]:
    """The unseen part is looked at only for the loss in the record."""
    trained = train_denoiser(
        from_pixels(train.x),
        train.y,
        classes=CLASSES,
        network=recipe.network,
        schedule=SCHEDULE,
        steps=recipe.steps,
        batch=recipe.batch,
        learning_rate=recipe.learning_rate,
        averaging=recipe.averaging,
        key=jax.random.key(recipe.seed),
        held_out=(from_pixels(unseen.x), unseen.y),
        checkpoint=folder,
        progress=progress,
    )
    record = {
        "name": recipe.name,
        "trained on": digest({"x": train.x, "y": train.y}),
        "steps": trained.steps.tolist(),
        "loss": trained.loss.tolist(),
        "loss on unseen examples": trained.validation_loss.tolist(),
    }
    return trained, record


def _flat(params: Any) -> dict[str, Any]:
    """Under names such as "first/kernel"."""
    named = jax.tree_util.tree_leaves_with_path(params)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in named}
