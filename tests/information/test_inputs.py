import jax
import jaxtyping
import numpy as np
import pytest
from flax import linen, nnx

import infojax as ij
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.information import (
    ensemble_information,
    influence_information,
    retrain_without_each,
    sgd_information,
    unique_information,
)
from infojax.models._neural_tangents import stax

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
DATA = Dataset(X, np.array([[0.0], [1.0], [0.0], [1.0]]))
TRIPLE = stax.serial(stax.Dense(1), stax.Relu(), stax.Dense(1))
NETWORK = ij.models.mlp(hidden=(2,))
PARAMS = NETWORK.init(jax.random.key(0), (3,))
WIDE, CONVERGED, DESCENT = ij.models.from_stax(TRIPLE), ij.Converged(), ij.GradientDescent(2, 0.1)


@pytest.fixture(autouse=True)
def _without_type_checks(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as users run it


def unique(network=NETWORK, params=PARAMS, train=DATA, validation=DATA, training=CONVERGED):
    return unique_information(network, params, train, validation, training=training)


def influence(network=NETWORK, params=PARAMS, train=DATA, validation=DATA):
    return influence_information(network, params, train, validation, training=ij.Converged(0.1))


def sgd(network=NETWORK, params=PARAMS, train=DATA, training=ij.Converged(0.1)):
    return sgd_information(network, params, train, batch=1, training=training, learning_rate=0.1)


def retrain(network=NETWORK, params=PARAMS, train=DATA, validation=DATA, training=DESCENT):
    return retrain_without_each(network, params, train, validation, training=training)


def ensemble(network=WIDE, train=DATA, validation=DATA, training=CONVERGED):
    return ensemble_information(network, train, validation, training=training)


OF_PARAMS = pytest.mark.parametrize("score", [unique, influence, sgd, retrain])
OF_PAIRS = pytest.mark.parametrize("score", [unique, influence, retrain, ensemble])


@OF_PARAMS
@pytest.mark.parametrize(
    ("network", "remedy"),
    [
        (lambda params, x: x, r"from_function"),
        (nnx.Linear(3, 1, rngs=nnx.Rngs(0)), r"from_nnx"),
        (ij.models.mlp, r"ij\.models\.mlp\(\.\.\.\)"),
        (ij.models.from_nnx, r"ij\.models\.from_nnx\(\.\.\.\)"),
        (TRIPLE, r"from_stax"),
        (linen.Dense, r"the class Dense; .*from_linen"),
        (None, r"None .*must be a Network"),
        ("mlp", r"'mlp' .*must be a Network"),
    ],
)
def test_what_is_no_network_is_refused_with_how_to_make_one(score, network, remedy):
    with pytest.raises(InvalidInput, match=remedy):
        score(network=network)


@pytest.mark.parametrize("network", [ij.models.mlp, TRIPLE, None, linen.Dense(1), nnx.Linear])
def test_an_ensemble_needs_a_network_too(network):
    with pytest.raises(InvalidInput, match="network"):
        ensemble(network=network)


@OF_PARAMS
@pytest.mark.parametrize("params", [1.0, 3, [1.0, 2.0], None, {}, jax.random.key(0), jax.random.PRNGKey(0), "w"])
def test_what_are_no_weights_is_refused(score, params):
    with pytest.raises(InvalidInput, match="params has"):
        score(params=params)


@OF_PAIRS
@pytest.mark.parametrize("which", ["train", "validation"])
@pytest.mark.parametrize("data", [X, None, [X], Dataset, "x", {"x": X}])
def test_what_are_no_examples_is_refused(score, which, data):
    with pytest.raises(InvalidInput, match=rf"{which} is .*; give a Dataset"):
        score(**{which: data})


@pytest.mark.parametrize("score", [unique, sgd, ensemble])
def test_a_pair_is_refused_where_a_dataset_is_needed(score):
    with pytest.raises(InvalidInput, match="train is a tuple of 2; give a Dataset"):
        score(train=(X, DATA.targets))


@pytest.mark.parametrize("score", [unique, sgd, retrain, ensemble])
@pytest.mark.parametrize("training", [None, "Converged", ij.Converged, 3])
def test_what_is_no_training_is_refused(score, training):
    with pytest.raises(InvalidInput, match="training is"):
        score(training=training)


@pytest.mark.parametrize("score", [influence, retrain])
def test_pairs_are_examples_where_they_were(score):
    assert score(train=(X, DATA.targets), validation=[X, DATA.targets]).si.shape == (4,)
