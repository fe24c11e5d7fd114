"""Learning curves of kernel ridge regression on training sets drawn from a pool."""
