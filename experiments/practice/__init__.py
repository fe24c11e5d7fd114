"""Deliberate practice (Askari-Hemmat et al., 2025): examples that are hard for the learner, made or chosen."""
