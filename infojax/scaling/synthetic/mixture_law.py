"""The exact test error of a learner on real data mixed with verified synthetic data of two Gaussian classes."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, ArrayLike, Float

from infojax.arrays import traced
from infojax.scaling._batched import batched
from infojax.scaling.ridge.equivalent import equivalent
from infojax.scaling.selection.moments import Moments
from infojax.scaling.selection.problem import require

FloatArray = Float[Array, "*shape"] | Float[np.ndarray, "*shape"]


class MixtureLaw(NamedTuple):
    """What becomes of the learner on clean data of the two classes, in the limit d, n → ∞.

    Each field has the shape of the arguments broadcast together.
    """

    error: FloatArray  # P(sign(ŵ·x) ≠ y)
    overlap: FloatArray  # cosine of ŵ with the direction μ between the classes
    norm: FloatArray  # ‖ŵ‖


class Mixture(NamedTuple):
    """The arguments of `mixture_law`."""

    ratio: Any
    signal: Any
    label_noise: Any
    keep_correct: Any
    keep_wrong: Any
    real_fraction: Any
    ridge: Any


def mixture_law(
    *,
    ratio: ArrayLike,
    signal: ArrayLike,
    label_noise: ArrayLike,
    keep_correct: ArrayLike,
    keep_wrong: ArrayLike,
    real_fraction: ArrayLike,
    ridge: ArrayLike,
) -> MixtureLaw:
    """Test error of ridge regression on real and verified synthetic data, exact as d, n → ∞ with d/n → ratio.

    Examples are x = yμ + z with y = ±1, z ~ N(0, I_d), ‖μ‖ = signal. Of n examples a fraction is real, with right
    labels; the rest are synthetic, with labels flipped at random, and go through a verifier that keeps rightly and
    wrongly labelled ones with different probabilities.
    Then ŵ = argmin 1/n Σ_kept (w·x − y)²/2 + ridge ‖w‖²/2. The setting of
    Feng et al. (arXiv 2406.07515) and Firdoussi et al. (ICLR 2025).

    Args:
        ratio: d/n > 0, with n all examples, real and synthetic, before verification.
        signal: ‖μ‖ ≥ 0, in units of the noise of a coordinate.
        label_noise: ε in [0, 1], fraction of synthetic labels that are flipped.
        keep_correct: in [0, 1], probability that the verifier keeps a synthetic example whose label is right.
        keep_wrong: in [0, 1], the same where it is wrong. 1 and 1: no verifier.
        real_fraction: in [0, 1].
        ridge: λ ≥ 0 in the 1/n normalisation; 0 is the minimum-norm solution.

    As ratio → 0 the error jumps from that of the best classifier to its complement where rightly labelled examples
    become a minority of the kept; of synthetic data alone that is at ε* = 1/(1 + keep_wrong/keep_correct).

    Raises `InvalidInput` on numbers out of range, and where nothing is kept.

    >>> law = mixture_law(ratio=1 / 6, signal=1.0, label_noise=0.4, keep_correct=0.8, keep_wrong=0.2,
    ...                   real_fraction=1 / 6, ridge=0.1)
    >>> round(float(law.error), 5)
    0.24995
    """
    mixture = Mixture(ratio, signal, label_noise, keep_correct, keep_wrong, real_fraction, ridge)
    return batched(_law_at, checked_mixture(mixture))


def checked_mixture(mixture: Mixture) -> Mixture:
    """The same, or `InvalidInput`."""
    probabilities = {
        name: require(name, getattr(mixture, name), lambda v: (v >= 0) & (v <= 1), "a probability, in [0, 1]")
        for name in ("label_noise", "keep_correct", "keep_wrong", "real_fraction")
    }
    right, wrong = kept_fractions(mixture._replace(**probabilities))
    kept = require("the fraction of examples that is kept", right + wrong, lambda v: v > 0, "positive: keep something")
    ratio = require("ratio", mixture.ratio, lambda v: (v > 0) & (v < np.inf), "d/n > 0, dimensions per example")
    return Mixture(
        ratio=jnp.where(jnp.isnan(kept), jnp.nan, ratio) if traced(kept) else ratio,
        signal=require("signal", mixture.signal, lambda v: (v >= 0) & (v < np.inf), "the length ≥ 0 of half the gap"),
        ridge=require("ridge", mixture.ridge, lambda v: (v >= 0) & (v < np.inf), "≥ 0; 0 is the minimum-norm limit"),
        **probabilities,
    )


def kept_fractions(mixture: Mixture) -> tuple[Any, Any]:
    """Kept examples with a right label and with a wrong one, as fractions of n."""
    synthetic = 1 - mixture.real_fraction
    right = mixture.real_fraction + synthetic * (1 - mixture.label_noise) * mixture.keep_correct
    wrong = synthetic * mixture.label_noise * mixture.keep_wrong
    return right, wrong


def _law_at(mixture: Mixture) -> MixtureLaw:
    """Along μ the kept have E[x x] = p(1 + r²) and E[y x] = (right − wrong) r; elsewhere they are noise."""
    right, wrong = kept_fractions(mixture)
    kept, signal = right + wrong, jnp.asarray(mixture.signal)
    second, labels = jnp.reshape(kept * (1 + signal**2), (1, 1)), jnp.reshape((right - wrong) * signal, (1,))
    moments = Moments(kept, second, labels, kept, jnp.ones_like(second))
    (along,), spread = equivalent(moments, jnp.asarray(mixture.ratio), jnp.asarray(mixture.ridge))
    norm = jnp.sqrt(along**2 + spread)
    overlap = along / norm
    return MixtureLaw(ndtr(-overlap * signal), overlap, norm)
