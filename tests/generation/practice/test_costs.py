import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.generation._generator import from_score
from infojax.generation.practice.costs import Prices, break_even, prices, spending
from infojax.generation.practice.loop import practise
from infojax.generation.practice.policy import PRACTICE, prune
from infojax.generation.practice.sources import by_diffusion
from infojax.generation.sampling.schedule import cosine
from infojax.models import Network, mlp
from infojax.rounds import Plan
from infojax.training import Learner


def test_prices_of_matrix_products():
    """A product of (b, n) with (n, m) takes 2nm operations an example; the rest here is small beside it."""
    d, hidden = 100, 200
    weights = jax.random.normal(jax.random.key(0), (d, d))
    generator = from_score(lambda x, t, label: x @ weights, shape=(d,), classes=2, schedule=cosine())
    network = mlp((hidden,), 50)
    found = prices(generator, Learner(network, network.init(jax.random.key(0), (d,))))
    layers = 2 * hidden * (d + 50)
    np.testing.assert_allclose(found.score, 2 * d * d, rtol=0.05)
    np.testing.assert_allclose(found.score_gradient, 2 * d * d, rtol=0.05)
    np.testing.assert_allclose(found.learner, layers, rtol=0.05)
    np.testing.assert_allclose(found.learner_gradient, 2 * layers, rtol=0.05)
    np.testing.assert_allclose(found.training, 3 * layers - 2 * hidden * d, rtol=0.05)


def test_a_program_without_operations_has_no_price():
    generator = from_score(lambda x, t, label: x * 0, shape=(2,), classes=2, schedule=cosine())
    still = Learner(Network(lambda key, shape: (), lambda params, x: x), ())
    with pytest.raises(InvalidInput, match="prices of your own"):
        prices(generator, still)


def test_spending_is_what_the_history_says(corners, descent, validation):
    price = Prices(score=2.0, score_gradient=3.0, learner=5.0, learner_gradient=7.0, training=11.0)
    plan = Plan(20, 10, 40, growing=False)
    for policy, generated, guided in ((PRACTICE, 40, 20), (prune(3.0), 80, 0)):
        history = practise(corners, descent, validation, policy, plan=plan, key=jax.random.key(0))
        table = spending(history, price)
        last = table.row(-1, named=True)
        assert last["generated"] == generated
        assert last["generating"] == generated * 2 + 2 * guided * 7  # `Corners` asks the learner twice
        judged = generated - 20
        assert last["training"] == 40 * (80 * 11 + 200 * 5) + judged * 5
        assert last["total"] == last["generating"] + last["training"]
        assert table["examples"].to_list() == history.evaluations["examples"].to_list()
        before = table.filter(table["examples"] == 20)
        assert (before["generated"] == 20).all()
        assert before["training"].to_list() == [1880.0 * (i + 1) for i in range(len(before))]


def test_plug_in_guidance_is_priced_as_it_is_computed():
    """What `sample` says it cost, in prices, is g times the unguided cost."""
    generator = from_score(lambda x, t, label: jnp.tanh(x) - 2 * x, shape=(3,), classes=2, schedule=cosine())
    network = mlp((8,), 2)
    learner = Learner(network, network.init(jax.random.key(0), (3,)))
    generate, price = by_diffusion(generator, strength=1.0, steps=4), prices(generator, learner)
    free, guided = (generate(jax.random.key(0), np.zeros(6, int), each).cost for each in (None, learner))
    unit = np.array([price.score, price.score_gradient, price.learner_gradient])
    spent = [np.array([cost.score, cost.score_gradient, cost.learner]) @ unit for cost in (free, guided)]
    np.testing.assert_allclose(spent[1] / spent[0], price.guided())
    assert free.score == 24


def test_break_even():
    ratios, errors = np.array([1.0, 2.0, 4.0, 8.0]), np.array([0.4, 0.3, 0.1, 0.2])
    assert break_even(ratios, errors, 0.3) == pytest.approx(2.0)
    assert break_even(ratios, errors, 0.2) == pytest.approx(2 * np.sqrt(2))
    assert break_even(ratios, errors, 0.5) == 1.0
    assert np.isnan(break_even(ratios, errors, 0.05))
    for wrong in (ratios[::-1], ratios - 1):
        with pytest.raises(InvalidInput, match="ascend"):
            break_even(wrong.copy(), errors, 0.1)
