"""Learners on labels that are not the truth's: verified synthetic data, and generations of relabelling."""
