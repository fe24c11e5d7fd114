"""Generating informative examples: diffusion, its guidance by what a learner is unsure of, deliberate practice."""

from infojax.generation.generator import Generator, from_score
from infojax.generation.learner import Learner, entropy, log_probabilities
from infojax.generation.schedule import Schedule, cosine, linear, tabulated

__all__ = [
    "Generator",
    "Learner",
    "Schedule",
    "cosine",
    "entropy",
    "from_score",
    "linear",
    "log_probabilities",
    "tabulated",
]
