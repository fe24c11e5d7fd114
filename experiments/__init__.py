"""Experiments: one file each, with a Config, its presets `quick` and `paper`, and a run."""
