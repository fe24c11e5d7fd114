"""Products with a kernel wherever it lies, and what they say of its spectrum."""
