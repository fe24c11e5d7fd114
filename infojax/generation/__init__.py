"""Generating informative examples: diffusion, its guidance by what a learner is unsure of, deliberate practice."""

from infojax.generation.generator import Generator, from_score
from infojax.generation.guidance import plug_in
from infojax.generation.learner import Learner, entropy, log_probabilities
from infojax.generation.mixture import Mixture, empirical, gaussian_mixture, sample_exactly
from infojax.generation.noised_mixture import Posterior, log_density, mixture_generator, posterior
from infojax.generation.samplers import ancestral, ddim, probability_flow
from infojax.generation.samples import Cost, Samples, Unfinished
from infojax.generation.sampling import sample
from infojax.generation.schedule import Schedule, cosine, linear, tabulated

__all__ = [
    "Cost",
    "Generator",
    "Learner",
    "Mixture",
    "Posterior",
    "Samples",
    "Schedule",
    "Unfinished",
    "ancestral",
    "cosine",
    "ddim",
    "empirical",
    "entropy",
    "from_score",
    "gaussian_mixture",
    "linear",
    "log_density",
    "log_probabilities",
    "mixture_generator",
    "plug_in",
    "posterior",
    "probability_flow",
    "sample",
    "sample_exactly",
    "tabulated",
]
