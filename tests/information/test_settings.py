"""What is said of settings and data that mean little."""

import jax
import numpy as np
import pytest

from infojax import GradientFlow, unique_information
from infojax.data import Dataset, load
from infojax.errors import DataWarning
from infojax.information import ensemble_information
from infojax.models import mlp

X = np.random.default_rng(0).normal(size=(12, 3))
ONE_CLASS = [
    Dataset(X, np.zeros(12, int), classes="a"),
    Dataset(X, np.ones(12, int), classes="ab"),
    Dataset(X, np.ones(12, int), classes="abc"),
    Dataset(X, np.full((12, 2), 0.5)),
]


@pytest.mark.parametrize("data", ONE_CLASS)
def test_examples_of_one_class_are_never_scored_without_a_word(data):
    network = mlp((8,), data.targets.shape[1])
    params = network.init(jax.random.key(0), (3,))
    with pytest.warns(DataWarning, match="All 8 training examples have one target"):
        unique_information(network, params, data.take(8), data.take(4, seed=1), training=GradientFlow(1.0))


def test_infinite_ensembles_of_one_class():
    from infojax.models import from_stax
    from infojax.models._neural_tangents import stax

    data = ONE_CLASS[0]
    network = from_stax(stax.serial(stax.Dense(8), stax.Relu(), stax.Dense(1)))
    with pytest.warns(DataWarning, match="have one target"):
        ensemble_information(network, *data.split(8, 4), training=GradientFlow(1.0), jitter=1e-4, joint=False)


def test_of_one_class_from_load():
    nines = load("digits").only(9)
    train, validation = nines.split(8, 4)
    network = mlp((8,), 1)
    with pytest.warns(DataWarning, match="two or more classes"):
        unique_information(
            network, network.init(jax.random.key(0), (8, 8, 1)), train, validation, training=GradientFlow(1.0)
        )
