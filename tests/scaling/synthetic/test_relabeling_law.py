import jax
import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.scaling import (
    RelabellingProblem,
    RidgeProblem,
    keep_all,
    keep_easy,
    keep_hard,
    relabelling_law,
    ridge_law,
    simulate_relabelling,
    soft,
)

SETTING = {"generations": 4, "pruner": 0.9, "ratio": 0.2, "ridge": 0.01}


@pytest.mark.parametrize(("selection", "aware"), [(keep_all(), True), (keep_hard(0.5), True), (keep_easy(0.5), False)])
def test_law_and_simulation_agree(selection, aware):
    law = relabelling_law(RelabellingProblem(selection, **SETTING, label_aware=aware, flips=0.05))
    measured = simulate_relabelling(
        RelabellingProblem(selection, **SETTING, label_aware=aware, flips=0.05),
        dimension=200,
        repeats=16,
        key=jax.random.key(0),
    )
    for name, value in law._asdict().items():
        found, stderr = getattr(measured.mean, name), getattr(measured.stderr, name)
        assert (np.abs(found - value) < np.maximum(4 * stderr, 0.05 * value)).all(), name


def test_first_generation_is_the_law_and_the_second_its_label_shift():
    chain = relabelling_law(RelabellingProblem(keep_hard(0.5), **SETTING))
    first = ridge_law(RidgeProblem(keep_hard(0.5), pruner=0.9, ratio=0.2, ridge=0.01))
    np.testing.assert_allclose(chain.error[0], first.error, rtol=1e-12)
    shift = {"generator": first.overlap, "pruner_generator": chain.pruner_overlap[0]}
    second = ridge_law(RidgeProblem(keep_hard(0.5), pruner=0.9, ratio=0.2, ridge=0.01, **shift))
    np.testing.assert_allclose(chain.error[1], second.error, rtol=1e-9)


def test_curation_holds_what_relabelling_loses():
    """Without it the error grows towards chance; a pruner that rejects wrong labels stops it."""
    alone = relabelling_law(RelabellingProblem(keep_all(), **SETTING | {"generations": 200}))
    curated = relabelling_law(RelabellingProblem(keep_all(), **SETTING | {"generations": 200}, label_aware=True))
    assert (np.diff(alone.error) > 0).all()
    assert alone.error[-1] > 0.49
    assert curated.error[-1] < 0.25
    assert abs(curated.error[-1] - curated.error[-2]) < 1e-6


def test_arrays_broadcast_with_generations_last():
    law = relabelling_law(
        RelabellingProblem(keep_all(), **SETTING | {"ratio": np.array([[0.1], [0.2]]), "pruner": np.ones(3)})
    )
    assert law.error.shape == (2, 3, 4)


@pytest.mark.parametrize(("wrong", "says"), [({"generations": 0}, "generations=0"), ({"pruner": 2.0}, r"pruner=2\.0")])
def test_bad_arguments_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        relabelling_law(RelabellingProblem(keep_all(), **SETTING | wrong))
    with pytest.raises(InvalidInput, match="without weights"):
        relabelling_law(RelabellingProblem(soft(0.3, 1.0, weighted=True), **SETTING))
    with pytest.raises(InvalidInput, match="ridge above 0"):
        simulate_relabelling(
            RelabellingProblem(keep_all(), **SETTING | {"ridge": 0.0}), dimension=10, repeats=2, key=jax.random.key(0)
        )
