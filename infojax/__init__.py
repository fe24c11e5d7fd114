"""infojax: the information in training examples, and scaling laws under data selection, in JAX."""

from infojax import data, generation, information, kernels, models, scaling
from infojax.information import unique_information
from infojax.linearized import Converged, GradientDescent, GradientFlow
from infojax.planning import plan

__all__ = [
    "Converged",
    "GradientDescent",
    "GradientFlow",
    "data",
    "generation",
    "information",
    "kernels",
    "models",
    "plan",
    "scaling",
    "unique_information",
]
