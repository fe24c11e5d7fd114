"""Smooth unique information (Harutyunyan et al., 2021), and its relatives."""
