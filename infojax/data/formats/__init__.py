"""Formats of files that data sets and weights come in, each read without believing it."""
