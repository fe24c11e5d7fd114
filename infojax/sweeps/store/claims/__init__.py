"""Which process is at work on which config."""
