"""Training without some of the examples, exactly: from the spectrum, or from products with the kernel."""
