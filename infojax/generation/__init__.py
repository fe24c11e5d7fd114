"""Generating informative examples: diffusion, its guidance by what a learner is unsure of, deliberate practice."""

from infojax.generation.denoiser import Denoiser, PatchMixer, ResidualMLP, UNet
from infojax.generation.denoiser_training import DenoiserTraining, train_denoiser
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
from infojax.generation.learned import (
    digits_generator,
    digits_parts,
    from_pixels,
    mnist_generator,
    mnist_parts,
    to_pixels,
)
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
    "Denoiser",
    "DenoiserTraining",
    "Estimate",
    "ExactTilt",
    "Generator",
    "Learner",
    "Mixture",
    "Particles",
    "PatchMixer",
    "Posterior",
    "ResidualMLP",
    "Samples",
    "Schedule",
    "UNet",
    "Unfinished",
    "ancestral",
    "cosine",
    "ddim",
    "digits_generator",
    "digits_parts",
    "diversity",
    "empirical",
    "entropy",
    "exact_tilt",
    "from_pixels",
    "from_score",
    "gaussian_mixture",
    "h_transform",
    "linear",
    "log_density",
    "log_probabilities",
    "mean_entropy",
    "mixture_generator",
    "mnist_generator",
    "mnist_parts",
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
    "to_pixels",
    "total_variation",
    "total_variation_floor",
    "train_denoiser",
]
