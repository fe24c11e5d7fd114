"""`infojax sweep`: an experiment for many configs."""
