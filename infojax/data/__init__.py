"""Examples in: data sets, where they are found, how they are fetched, and label noise."""

from infojax.data.dataset import Dataset
from infojax.data.fetching import fetch
from infojax.data.loading import load, load_weights
from infojax.data.noise import asymmetric_noise, symmetric_noise
from infojax.data.photographs import over_photographs
from infojax.data.pooling import pooled
from infojax.data.registry import SETS, NamedSet
from infojax.data.searching import where
from infojax.data.weights import WEIGHTS, NamedWeights

__all__ = [
    "SETS",
    "WEIGHTS",
    "Dataset",
    "NamedSet",
    "NamedWeights",
    "asymmetric_noise",
    "fetch",
    "load",
    "load_weights",
    "over_photographs",
    "pooled",
    "symmetric_noise",
    "where",
]
