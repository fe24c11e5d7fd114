"""Gaussian mixtures: data whose diffusion and whose guidance are known exactly."""
