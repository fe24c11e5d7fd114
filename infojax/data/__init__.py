"""Examples in: data sets, where they are found, how they are fetched, and label noise."""

from infojax.data.dataset import Dataset
from infojax.data.fetching import fetch
from infojax.data.loading import load
from infojax.data.noise import asymmetric_noise, symmetric_noise
from infojax.data.registry import SETS, NamedSet
from infojax.data.searching import where

__all__ = ["SETS", "Dataset", "NamedSet", "asymmetric_noise", "fetch", "load", "symmetric_noise", "where"]
