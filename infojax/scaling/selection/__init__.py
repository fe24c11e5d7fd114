"""Which examples of a pool are kept, and what is to be known of those that are."""
