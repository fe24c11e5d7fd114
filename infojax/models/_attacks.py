"""Adversarial examples: inputs moved within a small box so that a network errs.

    FGSM:  x' = clip(x + ε sign ∇ℓ(x))                       Goodfellow, Shlens and Szegedy 2015
    PGD:   x ← clip(x + s sign ∇ℓ(x)), again and again       Madry et al. 2018

where ℓ is the margin by which the network errs, and clip goes to the box |x' − x| ≤ ε and to the range of pixels.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from infojax.arrays import LARGEST, array_of_reals, traced
from infojax.errors import InvalidInput
from infojax.models._network import Network, Params
from infojax.models.checks.first_use import check_network


def error_margin(outputs: Float[Array, "b k"], targets: Float[Array, "b k"]) -> Float[Array, " b"]:
    """By how much a network errs, positive where it does: ½ − f for the class with target 1 if k = 1 (f − ½ for 0);
    for k > 1 the largest wrong output minus the right one.

    It rises towards the other class everywhere. The squared loss of an output that is above its target 1 rises the
    other way: moving along its gradient makes the network more certain of the right class.
    """
    if outputs.shape[1] == 1:
        return jnp.sum((1 - 2 * targets) * (outputs - 0.5), axis=1)
    wrong = jnp.max(jnp.where(targets > 0, -jnp.inf, outputs), axis=1)
    return wrong - jnp.sum(targets * outputs, axis=1)


def fgsm(
    network: Network,
    params: Params,
    x: Float[Array | np.ndarray, "b ..."],
    targets: Float[Array | np.ndarray, "b k"],
    *,
    radius: float,
    low: float = 0.0,
    high: float = 1.0,
) -> Float[Array, "b ..."]:
    """Adversarial examples by one step of the size of the box (fast gradient sign method).

    Args:
        network: the network attacked, with outputs of k = 1 for two classes and k for more.
        params: its parameters.
        x: inputs.
        targets: as `Dataset.targets`: 0 or 1, or one-hot rows.
        radius: ε, half the side of the box, in the units of x.
        low, high: the range of pixels, in the units of x.

    Raises:
        InvalidInput: a radius that is not positive, an empty range, targets that do not fit the outputs.

    >>> linear = Network(lambda key, shape: jnp.ones(shape), lambda w, x: x @ w[:, None])
    >>> fgsm(linear, jnp.array([1.0, -1.0]), jnp.array([[0.5, 0.5]]), jnp.array([[1.0]]), radius=0.25)
    Array([[0.25, 0.75]], dtype=float32)
    """
    x, targets = _checked(network, params, x, targets, radius, low, high)
    return _ascend(network, params, x, targets, x, radius, radius, low, high, 1)


def pgd(
    network: Network,
    params: Params,
    x: Float[Array | np.ndarray, "b ..."],
    targets: Float[Array | np.ndarray, "b k"],
    *,
    radius: float,
    steps: int = 20,
    step_size: float | None = None,
    low: float = 0.0,
    high: float = 1.0,
    key: PRNGKeyArray | None = None,
) -> Float[Array, "b ..."]:
    """Adversarial examples by projected gradient ascent in the box.

    Args:
        network, params, x, targets, radius, low, high: as for `fgsm`.
        steps: of ascent.
        step_size: s; by default 2.5 ε / steps, which can cross the box.
        key: starts at random points of the box; None starts at x.

    Raises:
        InvalidInput: as `fgsm`, and without steps or with a step size that is not positive.
    """
    x, targets = _checked(network, params, x, targets, radius, low, high)
    size = 2.5 * radius / max(steps, 1) if step_size is None else step_size
    if steps < 1 or not 0 < size < float("inf"):
        raise InvalidInput(f"pgd: steps={steps}, step_size={size}; both must be positive.")
    start = x
    if key is not None:
        start = jnp.clip(x + jax.random.uniform(key, x.shape, x.dtype, -radius, radius), low, high)
    return _ascend(network, params, x, targets, start, radius, size, low, high, steps)


def _ascend(network, params, x, targets, start, radius, size, low, high, steps):
    moved = start
    for _ in range(steps):
        moved = _step(network.apply, params, x, targets, moved, radius, size, low, high)
    return moved


@partial(jax.jit, static_argnums=0)
def _step(apply, params, x, targets, moved, radius, size, low, high):
    slope = jax.grad(lambda moved: error_margin(apply(params, moved), targets).sum())(moved)
    return jnp.clip(jnp.clip(moved + size * jnp.sign(slope), x - radius, x + radius), low, high)


def _checked(network, params, x, targets, radius, low, high):
    if not 0 < radius <= LARGEST or not low < high:
        raise InvalidInput(
            f"Attack with radius={radius} within [{low}, {high}]: radius must be positive, up to 1e15; low < high."
        )
    x, targets = (
        jnp.asarray(given if traced(given) else array_of_reals(f"Attack: {name}", given))
        for name, given in (("x", x), ("targets", targets))
    )
    shape = (len(x), check_network(network.apply, params, x))
    if targets.shape != shape:
        raise InvalidInput(f"Attack: targets have shape {targets.shape}, the outputs {shape}; give Dataset.targets.")
    return x, targets
