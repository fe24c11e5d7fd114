"""Generating informative examples: diffusion, its guidance by what a learner is unsure of, deliberate practice."""

from infojax.generation.distances import (
    Estimate,
    diversity,
    mean_entropy,
    squared_mmd,
    total_variation,
    total_variation_floor,
)
from infojax.generation.exact_tilt import ExactTilt, exact_tilt
from infojax.generation.generator import Generator, from_score
from infojax.generation.guidance import normalised, plug_in
from infojax.generation.h_transform import h_transform, tilted
from infojax.generation.learner import Learner, entropy, log_probabilities
from infojax.generation.mixture import Mixture, empirical, gaussian_mixture, sample_exactly
from infojax.generation.noised_mixture import Posterior, log_density, mixture_generator, posterior
from infojax.generation.rejection import sample_by_rejection
from infojax.generation.samplers import ancestral, ddim, probability_flow
from infojax.generation.samples import Cost, Samples, Unfinished
from infojax.generation.sampling import sample
from infojax.generation.schedule import Schedule, cosine, linear, tabulated
from infojax.generation.smc import Particles, sample_by_smc

__all__ = [
    "Cost",
    "Estimate",
    "ExactTilt",
    "Generator",
    "Learner",
    "Mixture",
    "Particles",
    "Posterior",
    "Samples",
    "Schedule",
    "Unfinished",
    "ancestral",
    "cosine",
    "ddim",
    "diversity",
    "empirical",
    "entropy",
    "exact_tilt",
    "from_score",
    "gaussian_mixture",
    "h_transform",
    "linear",
    "log_density",
    "log_probabilities",
    "mean_entropy",
    "mixture_generator",
    "normalised",
    "plug_in",
    "posterior",
    "probability_flow",
    "sample",
    "sample_by_rejection",
    "sample_by_smc",
    "sample_exactly",
    "squared_mmd",
    "tabulated",
    "tilted",
    "total_variation",
    "total_variation_floor",
]
