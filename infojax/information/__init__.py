"""What each training example is worth: unique information, exact and linearised, and its ground truth."""

from infojax.information.retraining import Retraining, retrain_without_each
from infojax.information.unique import Information, from_kernels, unique_information

__all__ = ["Information", "Retraining", "from_kernels", "retrain_without_each", "unique_information"]
