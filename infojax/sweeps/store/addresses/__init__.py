"""Where a result belongs: digests of a config, and of the code behind it."""
