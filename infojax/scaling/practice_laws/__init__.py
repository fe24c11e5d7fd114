"""Deliberate practice: rounds of training, each selecting with what was learned before."""
