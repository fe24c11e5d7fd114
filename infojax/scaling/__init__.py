"""Exact laws of the test error under data selection, and the simulations that check them."""

from infojax.scaling.ridge import RidgeLaw, ridge_law
from infojax.scaling.selection import Selection, keep_all, keep_easy, keep_hard, keep_random
from infojax.scaling.simulation import RidgeSimulation, simulate_ridge

__all__ = [
    "RidgeLaw",
    "RidgeSimulation",
    "Selection",
    "keep_all",
    "keep_easy",
    "keep_hard",
    "keep_random",
    "ridge_law",
    "simulate_ridge",
]
