"""Kernels in folders of tiles: written, resumed, shared among processes, and read like arrays."""
