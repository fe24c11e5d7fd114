"""Running experiments: one, or the units of a sweep, by an engine."""
