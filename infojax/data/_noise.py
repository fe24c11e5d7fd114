"""Label noise that keeps the clean labels beside the noisy ones."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from infojax.arrays import real_array, seed_of
from infojax.data._dataset import Dataset
from infojax.errors import InvalidInput


def symmetric_noise(dataset: Dataset, rate: Any, *, seed: Any) -> Dataset:
    """Moves round(rate · n) examples, drawn without replacement, to one of the other classes, uniformly.

    Args:
        dataset: a classification set of at least two classes without label noise.
        rate: the fraction of examples whose label changes, in [0, 1].
        seed: seeds both the choice of examples and of their new classes.

    Returns:
        The set with noisy `y`; `clean_y` keeps the labels, and `flipped` says which changed.

    Raises:
        InvalidInput: for a rate outside [0, 1], a regression, a single class, labels already noisy.

    >>> from infojax.data import load
    >>> int(symmetric_noise(load("digits"), 0.2, seed=0).flipped.sum())  # of 1797
    359
    """
    rate, seed = _check(dataset, rate, seed)
    k = len(dataset.classes)
    if k < 2:
        raise InvalidInput(f"{dataset.name} has the one class {dataset.classes}; symmetric noise needs two or more.")
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(dataset))[: round(rate * len(dataset))]
    y = dataset.y.copy()
    # Adding 1 … k − 1 modulo k reaches each of the other classes once, and never the class itself.
    y[chosen] = (y[chosen] + random.integers(1, k, len(chosen))) % k
    return replace(dataset, y=y, clean_y=dataset.y)


def asymmetric_noise(dataset: Dataset, mapping: Any, rate: Any, *, seed: Any) -> Dataset:
    """Moves examples along a map of confusions: of the n_a examples of class a, round(rate · n_a) become b.

    Args:
        dataset: a classification set without label noise.
        mapping: {a: b}, classes by name or number as in `Dataset.only`; all at once, so {a: b, b: a} swaps.
        rate: the fraction of each mapped class whose label changes, in [0, 1].
        seed: seeds the choice of examples.

    Returns:
        The set with noisy `y`; `clean_y` keeps the labels, and `flipped` says which changed.

    Raises:
        InvalidInput: for a rate outside [0, 1], a regression, labels already noisy, an empty map, an unknown
            class, a class mapped twice or to itself.

    >>> from infojax.data import load
    >>> noisy = asymmetric_noise(load("digits"), {4: 9, 1: 7}, 0.5, seed=0)
    >>> sorted(set(noisy.clean_y[noisy.flipped].tolist()))
    [1, 4]
    """
    rate, seed = _check(dataset, rate, seed)
    if not isinstance(mapping, Mapping):
        raise InvalidInput(f"mapping is {mapping!r:.80}; give a dictionary {{class: class that it becomes}}.")
    moves = [(dataset.class_index(a), dataset.class_index(b)) for a, b in mapping.items()]
    if not moves or any(a == b for a, b in moves) or len({a for a, _ in moves}) < len(moves):
        raise InvalidInput(f"mapping {dict(mapping)}: give at least one class, each once, mapped to another one.")
    random = np.random.default_rng(seed)
    y = dataset.y.copy()
    for a, b in moves:
        members = random.permutation(np.flatnonzero(dataset.y == a))
        y[members[: round(rate * len(members))]] = b
    return replace(dataset, y=y, clean_y=dataset.y)


def _check(dataset: Dataset, rate: Any, seed: Any) -> tuple[float, int]:
    given = real_array("rate", rate)
    if given.ndim or not 0 <= given <= 1:
        raise InvalidInput(f"Label noise rate {rate} is not a fraction; give a number in [0, 1].")
    if dataset.y.ndim != 1:
        raise InvalidInput(f"{dataset.name} holds regression targets; label noise needs class labels.")
    if dataset.clean_y is not None:
        raise InvalidInput(f"{dataset.name} has noisy labels already; put noise into the clean set, once.")
    return float(given), seed_of("label noise", seed)
