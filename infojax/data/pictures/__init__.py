"""Folders of the user's own pictures: which files are read, as what, under which label."""
