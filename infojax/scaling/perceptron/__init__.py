"""Perceptrons of largest margin on pruned data."""
