"""The convolutional network of Harutyunyan et al. (2021), trained to tell 345 kinds of drawings apart.

The paper trains it on letters (EMNIST), which no package registry has; drawings of the same size, one stroke wide and
white on black as well, stand in for them. Training takes some minutes, once for a machine: the weights are kept beside
the data, with a record of how they were made and how well they do.
"""

import functools
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int
from rich.progress import Progress

from infojax.data import Arrays, digest, load, store, stored
from infojax.files import Console
from infojax.models._cnn import CONVOLUTIONS, cnn
from infojax.models.pretrained_networks.parts import Body, Images, Layers, convolve

NAME = "cnn-drawings"
RECIPE = {"epochs": 15, "batch": 128, "learning_rate": 2e-3, "seed": 0, "held out of each kind": 10}
_DENSE = f"layer{len(CONVOLUTIONS)}"


def features(layers: Layers, statistics: Layers, images: Images) -> Float[Array, "b f"]:
    """Images (b, 28, 28, 1) in [0, 1] → what the last layer takes, 256 numbers each."""
    x = images
    for number, (_, _, stride, padding) in enumerate(CONVOLUTIONS):
        x = jax.nn.relu(convolve(x, layers[f"layer{number}"], stride, [(padding, padding)] * 2))
    return jax.nn.relu(x.reshape(len(x), -1) @ layers[_DENSE]["kernel"] + layers[_DENSE]["bias"][None])


def body() -> Body:
    """The trained network: as it lies on this machine, or trained now, which a progress bar shows on a terminal.

    Raises:
        DataNotFound: when it must be trained and the drawings are not on this machine.
        CorruptData: when the weights that are there are damaged.
    """
    arrays = stored(NAME, RECIPE)
    if arrays is None:
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            drawings = load("quickdraw")
            arrays, record = train(drawings.x, drawings.y, RECIPE, progress)
        store(NAME, arrays, record)
    layers: Layers = {}
    for path, array in arrays.items():
        layer, name = path.split("/")
        layers.setdefault(layer, {})[name] = array
    head = layers.pop("head")
    return Body(features, layers, {}, head, channels=1, size=28)


def train(
    x: Float[np.ndarray, "n 28 28 1"],
    y: Int[np.ndarray, " n"],
    recipe: dict[str, Any],
    progress: Progress | None = None,
) -> tuple[Arrays, dict[str, Any]]:
    """Weights "layer0/kernel" … "head/bias", and the record: how they were made, and the accuracy on held-out images.

    Cross-entropy, Adam with a learning rate that falls to 0 along a cosine, images in a new order each epoch.
    The last images of each kind are held out.
    """
    import optax

    kinds = int(y.max()) + 1
    held_out = np.concatenate([np.flatnonzero(y == kind)[-recipe["held out of each kind"] :] for kind in range(kinds)])
    fit = np.setdiff1d(np.arange(len(y)), held_out)
    steps = recipe["epochs"] * (len(fit) // recipe["batch"])
    optimizer = optax.adam(optax.cosine_decay_schedule(recipe["learning_rate"], steps))
    initial = cnn(kinds).init(jax.random.key(recipe["seed"]), x.shape[1:])
    ordered = [layer for _, layer in sorted(initial["layers"].items())]
    layers: Layers = dict(zip([*(f"layer{i}" for i in range(len(ordered) - 1)), "head"], ordered, strict=True))

    def logits(layers: Layers, x: Any) -> Array:
        return features(layers, {}, x) @ layers["head"]["kernel"] + layers["head"]["bias"][None]

    def loss(layers: Layers, x: Any, y: Any) -> Array:
        return optax.softmax_cross_entropy_with_integer_labels(logits(layers, x), y).mean()

    # One compiled step a batch: XLA's convolutions on a CPU are very slow inside of a scan.
    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(layers: Layers, state: Any, x: Any, y: Any) -> tuple[Layers, Any]:
        updates, state = optimizer.update(jax.grad(loss)(layers, x, y), state, layers)
        return optax.apply_updates(layers, updates), state  # pyright: ignore[reportReturnType]

    task = progress.add_task(f"training {NAME}, once for this machine", total=steps) if progress else None
    with jax.numpy_dtype_promotion("standard"):  # which optax needs
        state = optimizer.init(layers)
        for batch in _batches(fit, recipe):
            layers, state = step(layers, state, x[batch], y[batch])
            if progress is not None and task is not None:
                progress.advance(task)
    best = jax.jit(lambda layers, x: jax.lax.top_k(logits(layers, x), min(5, kinds))[1])
    right = np.concatenate(
        [best(layers, x[rows]) == y[rows, None] for rows in np.array_split(held_out, -(-len(held_out) // 400))]
    )
    arrays = {f"{layer}/{name}": np.asarray(a) for layer, each in layers.items() for name, a in each.items()}
    record = {
        "name": NAME,
        "recipe": recipe,
        "drawings": digest({"x": x, "y": y}),
        "accuracy on held-out drawings": {"top 1": float(right[:, 0].mean()), "top 5": float(right.any(axis=1).mean())},
    }
    return arrays, record


def _batches(rows: np.ndarray, recipe: dict[str, Any]) -> Iterator[np.ndarray]:
    random = np.random.default_rng(recipe["seed"])
    for _ in range(recipe["epochs"]):
        shuffled = random.permutation(rows)
        whole = len(rows) // recipe["batch"] * recipe["batch"]
        yield from shuffled[:whole].reshape(-1, recipe["batch"])
