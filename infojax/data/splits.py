"""The names of splits."""

from infojax.errors import InvalidInput

SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}
"""The names of splits, each with the one that stands for it."""


def split_named(name: str) -> str:
    """The split that a name stands for. Raises InvalidInput for a name that is none.

    >>> split_named("val")
    'validation'
    """
    if name not in SPLITS:
        raise InvalidInput(
            f"split {name!r} is neither 'train', 'test' nor 'validation' (nor 'training', 'testing', 'val', 'valid')."
        )
    return SPLITS[name]
