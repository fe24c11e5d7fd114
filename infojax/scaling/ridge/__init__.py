"""Ridge regression on selected data: its exact test error, simulations of it, and the best selection for it."""
