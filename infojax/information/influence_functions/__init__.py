"""Influence functions: what leaving an example out does, to first order, at trained weights."""
