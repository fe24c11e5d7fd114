"""Trained networks with a new last layer."""
