"""How many digits of a result are right, and what is said where too few are."""
