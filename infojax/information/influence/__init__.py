"""Influence functions: what leaving an example out does, to first order, at trained weights."""

from infojax.information.influence.estimates import influence_from_kernels, influence_information
from infojax.information.influence.scores import Influence, Solver, influence
from infojax.information.influence.solvers import PAPER_LISSA, PAPER_LISSA_DAMPING, ConjugateGradient, Lissa

__all__ = [
    "PAPER_LISSA",
    "PAPER_LISSA_DAMPING",
    "ConjugateGradient",
    "Influence",
    "Lissa",
    "Solver",
    "influence",
    "influence_from_kernels",
    "influence_information",
]
