"""The names of splits."""

from typing import Any

from infojax.errors import InvalidInput

SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "eval": "evaluation",
    "evaluation": "evaluation",
}
"""The names of splits, each with the one that stands for it."""


def split_named(name: Any) -> str:
    """The split that a name stands for. Raises InvalidInput for a name that is none.

    >>> split_named("val")
    'validation'
    """
    if not isinstance(name, str) or name not in SPLITS:
        raise InvalidInput(
            f"split {name!r:.60} is neither 'train', 'test' nor 'validation' (nor 'training', 'testing', 'val', "
            "'valid', 'dev', 'eval', 'evaluation')."
        )
    return SPLITS[name]
