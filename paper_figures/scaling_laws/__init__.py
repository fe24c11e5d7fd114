"""Exact laws of the test error under data selection, against simulations."""
