"""infojax: the information in training examples, and scaling laws under data selection, in JAX."""

from infojax import data

__all__ = ["data"]
