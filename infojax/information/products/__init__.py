"""Unique information from products with the kernel alone."""
