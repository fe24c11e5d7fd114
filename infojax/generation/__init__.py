"""Generating informative examples: diffusion, its guidance by what a learner is unsure of, deliberate practice."""

from infojax.generation.generator import Generator, from_score
from infojax.generation.guidance import plug_in
from infojax.generation.learner import Learner, entropy, log_probabilities
from infojax.generation.samplers import ancestral, ddim, probability_flow
from infojax.generation.samples import Cost, Samples, Unfinished
from infojax.generation.sampling import sample
from infojax.generation.schedule import Schedule, cosine, linear, tabulated

__all__ = [
    "Cost",
    "Generator",
    "Learner",
    "Samples",
    "Schedule",
    "Unfinished",
    "ancestral",
    "cosine",
    "ddim",
    "entropy",
    "from_score",
    "linear",
    "log_probabilities",
    "plug_in",
    "probability_flow",
    "sample",
    "tabulated",
]
