"""The exact test error of a learner on real data mixed with verified synthetic data of two Gaussian classes."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float

from infojax.scaling._batched import batched
from infojax.scaling.registry.problems import MixtureProblem
from infojax.scaling.ridge.equivalent import equivalent
from infojax.scaling.selection.moments import Moments

FloatArray = Float[Array, "*shape"] | Float[np.ndarray, "*shape"]


class MixtureLaw(NamedTuple):
    """What becomes of the learner on clean data of the two classes, in the limit d, n → ∞.

    Each field has the shape of the arguments broadcast together.
    """

    error: FloatArray  # P(sign(ŵ·x) ≠ y)
    overlap: FloatArray  # cosine of ŵ with the direction μ between the classes
    norm: FloatArray  # ‖ŵ‖


def mixture_law(problem: MixtureProblem) -> MixtureLaw:
    """Test error of ridge regression on real and verified synthetic data, exact as d, n → ∞ with d/n → ratio.

    ŵ = argmin 1/n Σ_kept (w·x − y)²/2 + ridge ‖w‖²/2. The setting of Feng et al. (arXiv 2406.07515) and
    Firdoussi et al. (ICLR 2025).

    As ratio → 0 the error jumps from that of the best classifier to its complement where rightly labelled examples
    become a minority of the kept; of synthetic data alone that is at ε* = 1/(1 + keep_wrong/keep_correct).

    >>> from infojax.scaling import MixtureProblem
    >>> law = mixture_law(MixtureProblem(ratio=1 / 6, signal=1.0, flips=0.4, keep_correct=0.8, keep_wrong=0.2,
    ...                                  real_fraction=1 / 6, ridge=0.1))
    >>> round(float(law.error), 5)
    0.24995
    """
    return batched(_law_at, problem)


def _law_at(mixture: MixtureProblem) -> MixtureLaw:
    """Along μ the kept have E[x x] = p(1 + r²) and E[y x] = (right − wrong) r; elsewhere they are noise."""
    right, wrong = mixture.kept_fractions()
    kept, signal = right + wrong, jnp.asarray(mixture.signal)
    second, labels = jnp.reshape(kept * (1 + signal**2), (1, 1)), jnp.reshape((right - wrong) * signal, (1,))
    moments = Moments(kept, second, labels, kept, jnp.ones_like(second))
    (along,), spread = equivalent(moments, jnp.asarray(mixture.ratio), jnp.asarray(mixture.ridge))
    norm = jnp.sqrt(along**2 + spread)
    overlap = along / norm
    return MixtureLaw(ndtr(-overlap * signal), overlap, norm)
