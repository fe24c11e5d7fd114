"""Benchmarks of sweeps and of the result store, and faults on purpose."""
