"""The learner's loop of Deliberate Practice (arXiv 2502.15588, Algorithm 1), and the policies it is compared with."""

from infojax.generation.practice.addition import Addition
from infojax.generation.practice.costs import Prices, break_even, prices, spending
from infojax.generation.practice.descent import Descent
from infojax.generation.practice.history import Evaluation, History
from infojax.generation.practice.linear import RidgeFit, tilted_gaussians
from infojax.generation.practice.loop import branch_out, practise
from infojax.generation.practice.plan import FROZEN, PRACTICE, STATIC, UNIFORM, Plan, Policy, prune
from infojax.generation.practice.sources import by_diffusion
from infojax.generation.practice.trainer import Trainer

__all__ = [
    "FROZEN",
    "PRACTICE",
    "STATIC",
    "UNIFORM",
    "Addition",
    "Descent",
    "Evaluation",
    "History",
    "Plan",
    "Policy",
    "Prices",
    "RidgeFit",
    "Trainer",
    "branch_out",
    "break_even",
    "by_diffusion",
    "practise",
    "prices",
    "prune",
    "spending",
    "tilted_gaussians",
]
