"""What each training example is worth: unique information, exact and linearised, and its ground truth."""

from infojax.information.contrast import Contrast, contrast
from infojax.information.ensemble import EnsembleInformation, ensemble_from_kernels, ensemble_information
from infojax.information.from_products import BoundedInformation, from_products
from infojax.information.influence import Influence, influence, influence_from_kernels, influence_information
from infojax.information.retraining import Retraining, retrain_without_each
from infojax.information.sgd_noise import SgdInformation, sgd_from_kernel, sgd_information
from infojax.information.unique import Information, from_kernels, unique_information

__all__ = [
    "BoundedInformation",
    "Contrast",
    "EnsembleInformation",
    "Influence",
    "Information",
    "Retraining",
    "SgdInformation",
    "contrast",
    "ensemble_from_kernels",
    "ensemble_information",
    "from_kernels",
    "from_products",
    "influence",
    "influence_from_kernels",
    "influence_information",
    "retrain_without_each",
    "sgd_from_kernel",
    "sgd_information",
    "unique_information",
]
