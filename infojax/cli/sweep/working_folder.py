"""Experiments in the folder where a command is given."""

import os
import sys


def import_from_here() -> None:
    """Let packages in the working directory be imported, as `python -m` does."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
