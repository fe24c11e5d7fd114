"""Unique information in the predictions of infinitely wide ensembles."""
