"""`infojax results`: what is stored, and the care of it."""
