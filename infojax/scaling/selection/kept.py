"""What a learner sees of a pool after selection: the moments of the kept examples, for every rule and kind of label."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.scaling.registry.problems import RidgeProblem
from infojax.scaling.selection.margin import margin_moments, margin_quadrature
from infojax.scaling.selection.moments import Moments, sign_moments
from infojax.scaling.selection.soft_cap import REACH, reach, soft_cap
from infojax.scaling.selection.weighting import Weighting


def kept_moments(problem: RidgeProblem, sine: Float[Array, ""] | None = None) -> Moments:
    """Moments of examples that are kept or not: closed forms, or, for the soft rule, quadrature.

    `sine` is that of pruner and generator, where it is known to more digits than their cosine tells.
    """
    selection = problem.selection
    if isinstance(selection, Weighting) or selection.rule == "soft":
        return transformed_moments(problem, sine)(lambda weight: weight)
    rho, flips = problem.pruner_generator, problem.flips
    right = sign_moments(selection, rho, problem.label_aware, sine)
    if problem.labels == "linear":
        return _linear(right, problem)
    if not problem.label_aware:
        return right._replace(labels=(1 - 2 * flips) * right.labels)
    # A flipped label is the right one of the opposite generator, −w_g.
    wrong = sign_moments(selection, -rho, problem.label_aware, sine)
    mirror = jnp.asarray([1, -1], rho.dtype)
    wrong = wrong._replace(labels=mirror * wrong.labels, second=jnp.outer(mirror, mirror) * wrong.second)
    return _mixed(right, wrong, flips)


def transformed_moments(
    problem: RidgeProblem, sine: Float[Array, ""] | None = None, halved: bool = False
) -> Callable[[Callable[[Array], Array]], Moments]:
    """A function f ↦ moments of E[f(D) …], where D is the weight of an example, 0 if it is not kept, and f(0) = 0.

    `halved` integrates over twice as many panels, which makes no difference where the rule is smooth on each.
    """
    edges, classes = _classes(problem)
    if halved:
        edges = jnp.sort(jnp.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
    quadrature = margin_quadrature(edges, problem.pruner_generator, sine)
    known = classes(quadrature.sizes), classes(quadrature.layer)

    def moments(transform: Callable[[Array], Array]) -> Moments:
        def counts(nodes: tuple[tuple[Array, Array], tuple[Array, Array]]) -> tuple[Array, Array]:
            (agree, weight), (disagree, other) = nodes
            return agree * transform(weight), disagree * transform(other)

        sizes, layer = (counts(nodes) for nodes in known)
        right = margin_moments(quadrature, sizes, layer)
        if problem.labels == "linear":
            return _linear(right, problem)
        # A flipped label makes an example that agreed with the pruner disagree.
        wrong = margin_moments(quadrature, (sizes[1], sizes[0]), (layer[1], layer[0]))
        return _mixed(right, wrong._replace(labels=-wrong.labels), problem.flips)

    return moments


Classes = Callable[[Float[Array, " n"]], tuple[tuple[Array, Array], tuple[Array, Array]]]


def _classes(problem: RidgeProblem) -> tuple[Float[Array, " edges"], Classes]:
    """Where the probability may have jumps and kinks, from 0 to where nothing is left; and, by |w_s·x|, probability
    and weight of examples whose label agrees with the pruner, and of those whose label does not."""
    selection, dtype = problem.selection, jnp.asarray(problem.ratio).dtype
    zero = jnp.zeros((), dtype)
    if isinstance(selection, Weighting):
        inner = [jnp.asarray(edge, dtype) for edge in selection.breaks]

        def checked(size: Float[Array, " n"], agrees: bool) -> tuple[Array, Array]:
            probability, weight = selection(size, jnp.full(size.shape, agrees))
            most = 1 + 8 * float(jnp.finfo(dtype).eps)
            fit = (probability >= 0) & (probability <= most) & (weight >= 0) & (weight < np.inf)
            return jnp.where(fit, probability, jnp.nan), weight

        def given(size: Float[Array, " n"]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
            agree = checked(size, True)
            return agree, agree if problem.labels == "linear" else checked(size, False)

        return jnp.stack([zero, *inner, jnp.asarray(REACH, dtype)]), given
    # of a coin that is the same for all, too, as the soft rule of strength 0
    strength = selection.strength if selection.rule == "soft" else 0.0
    cap = soft_cap(*(jnp.asarray(value, dtype) for value in (selection.kept, strength)))

    def soft(size: Float[Array, " n"]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        probability = cap.probability(size)
        # 1/Q overflows where Q does not; nothing there is ever kept
        weight = 1 / jnp.maximum(probability, 1e-30) if selection.weighted else jnp.ones_like(size)
        return (probability, weight), (jnp.zeros_like(size) if problem.label_aware else probability, weight)

    return jnp.stack([zero, cap.threshold, cap.threshold + reach(cap.strength)]), soft


def _linear(right: Moments, problem: RidgeProblem) -> Moments:
    """The same examples with labels y = w_g·x + noise: c = K w_g, E q y² = w_g·K w_g + p noise²."""
    target = jnp.stack([jnp.asarray(problem.pruner_generator), jnp.ones_like(right.kept)])
    labels, noise = right.second @ target, right.kept * problem.noise**2
    power = (right.gram @ target) @ labels + noise
    return right._replace(labels=labels, power=power, target=target, noise=noise)


def _mixed(right: Moments, wrong: Moments, flips: Float[Array, ""]) -> Moments:
    """Of rightly and wrongly labelled examples."""
    pairs = zip(right[:4], wrong[:4], strict=True)
    kept, second, labels, power = ((1 - flips) * one + flips * other for one, other in pairs)
    return Moments(kept, second, labels, power, right.gram)
