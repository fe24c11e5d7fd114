"""The result store: what a result holds, how it is written whole, found, checked, pruned and exported."""
