"""Exact laws of the test error under data selection, and the simulations that check them."""

from infojax.scaling.kernels.curve import KernelCurve, kernel_curve
from infojax.scaling.kernels.pointwise import pointwise_kernel_curve
from infojax.scaling.kernels.simulation import KernelSimulation, simulate_kernel_curve
from infojax.scaling.perceptron.law import PerceptronLaw, perceptron_law
from infojax.scaling.perceptron.simulation import PerceptronSimulation, simulate_perceptron
from infojax.scaling.power_law import PowerLaw, fit_power_law
from infojax.scaling.practice.law import PracticeLaw, practice_law
from infojax.scaling.practice.simulation import (
    PracticeSimulation,
    TwoStageSimulation,
    simulate_practice,
    simulate_two_stage,
)
from infojax.scaling.practice.two_stage import TwoStageLaw, two_stage_law
from infojax.scaling.ridge.anisotropic import anisotropic_law, power_spectrum
from infojax.scaling.ridge.anisotropic_simulation import simulate_anisotropic
from infojax.scaling.ridge.law import RidgeLaw, ridge_law
from infojax.scaling.ridge.optimal import Best, Choice, best_of_rule, best_selection
from infojax.scaling.ridge.simulation import RidgeSimulation, simulate_ridge
from infojax.scaling.selection.rules import Selection, keep_all, keep_easy, keep_hard, keep_random, soft
from infojax.scaling.selection.weighting import Weighting, weigh_by
from infojax.scaling.synthetic.mixture import MixtureLaw, mixture_law
from infojax.scaling.synthetic.mixture_simulation import MixtureSimulation, simulate_mixture
from infojax.scaling.synthetic.relabelling import (
    RelabellingLaw,
    RelabellingSimulation,
    relabelling_law,
    simulate_relabelling,
)

__all__ = [
    "Best",
    "Choice",
    "KernelCurve",
    "KernelSimulation",
    "MixtureLaw",
    "MixtureSimulation",
    "PerceptronLaw",
    "PerceptronSimulation",
    "PowerLaw",
    "PracticeLaw",
    "PracticeSimulation",
    "RelabellingLaw",
    "RelabellingSimulation",
    "RidgeLaw",
    "RidgeSimulation",
    "Selection",
    "TwoStageLaw",
    "TwoStageSimulation",
    "Weighting",
    "anisotropic_law",
    "best_of_rule",
    "best_selection",
    "fit_power_law",
    "keep_all",
    "keep_easy",
    "keep_hard",
    "keep_random",
    "kernel_curve",
    "mixture_law",
    "perceptron_law",
    "pointwise_kernel_curve",
    "power_spectrum",
    "practice_law",
    "relabelling_law",
    "ridge_law",
    "simulate_anisotropic",
    "simulate_kernel_curve",
    "simulate_mixture",
    "simulate_perceptron",
    "simulate_practice",
    "simulate_relabelling",
    "simulate_ridge",
    "simulate_two_stage",
    "soft",
    "two_stage_law",
    "weigh_by",
]
