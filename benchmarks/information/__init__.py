"""Benchmarks of scores, and of what they rest on."""
