"""Where generated examples come from: a diffusion model with a guidance, as the loop asks for them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Int, PRNGKeyArray

from infojax.generation._generator import Generator
from infojax.generation.practice.candidates import Generate
from infojax.generation.sampling.draw import sample
from infojax.generation.sampling.drawn import Samples
from infojax.generation.sampling.guidance import plug_in
from infojax.training import Learner


def by_diffusion(
    generator: Generator,
    *,
    strength: float,
    guidance: Callable[..., jax.tree_util.Partial] = plug_in,
    **options: Any,
) -> Generate:
    """What `practise` takes, from a generator: `guidance(learner, strength)` moves its sampler.

    Args:
        strength: ω.
        guidance: `plug_in`, `normalised`, or another, with further arguments bound.
        options: of `sample`: steps, sampler, class_guidance, tile.
    """
    return partial(_diffused, generator, guidance, strength, options)


def _diffused(
    generator: Generator,
    guidance: Callable[..., jax.tree_util.Partial],
    strength: float,
    options: dict[str, Any],
    key: PRNGKeyArray,
    labels: Int[np.ndarray, " n"],
    learner: Learner | None,
) -> Samples:
    guide = None if learner is None else guidance(learner, strength)
    return sample(generator, labels, key=key, guidance=guide, **options)
