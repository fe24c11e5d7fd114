"""Rows of numbers that are read a tile at a time, from memory or from files that are larger than it."""
