"""Pruning by margin in the perceptron (Sorscher et al., 2022)."""
