"""Training in closed form: what a network linearised at its initialisation does at any time."""

from infojax.linearized.predictions import coefficients
from infojax.linearized.spectrum import Spectrum, spectrum
from infojax.linearized.training import Converged, GradientDescent, GradientFlow, Training

__all__ = [
    "Converged",
    "GradientDescent",
    "GradientFlow",
    "Spectrum",
    "Training",
    "coefficients",
    "spectrum",
]
