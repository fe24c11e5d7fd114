"""Figures: one file each, drawn from the stored tables of an experiment."""
