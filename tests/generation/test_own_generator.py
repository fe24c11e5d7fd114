"""The how-to for a user's own generator works as printed."""

import re
from pathlib import Path

import jax
import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.generation import mean_entropy, plug_in, sample
from infojax.generation.sampling.drawn import Cost

PAGE = Path(__file__).parents[2] / "docs" / "own-generator.md"


@pytest.fixture(scope="module")
def page():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    namespace: dict = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), namespace)
    return namespace


def test_the_score_draws_its_two_gaussians(page):
    means = page["drawn"].x.reshape(2, 500, 2).mean(1)
    np.testing.assert_allclose(means, page["means"], atol=5 * 0.3 / np.sqrt(500))
    assert page["drawn"].cost == Cost(score=50 * 1000)


def test_either_class_is_the_mixture_of_both(page):
    x = sample(page["own"], np.full(1000, 2), key=jax.random.key(1), steps=50).x
    assert 0.4 < float((x[:, 0] > 0).mean()) < 0.6


def test_a_model_of_another_framework_draws_what_it_says(page):
    assert 1.9 < float(page["many"].x.std()) < 2.1


def test_it_is_guided_once_its_derivative_is_given(page):
    learner, labels = page["learner"], page["labels"]
    plain, guided, particles = (mean_entropy(learner, page[name].x) for name in ("plain", "guided", "particles"))
    for other in (guided, particles):
        assert other.value > plain.value + 5 * plain.stderr
    with pytest.raises(ValueError, match=r"[Pp]ure callbacks do not support JVP"):
        sample(page["outside"], labels, key=jax.random.key(1), steps=20, guidance=plug_in(learner, 3.0))


def test_the_derivative_is_the_models(page):
    x, t, label = np.ones((3, 2), np.float32), np.float32(0.3), np.zeros(3, np.int32)
    made = jax.vjp(lambda x: page["differentiable"](x, t, label), x)[1](2 * x)[0]
    np.testing.assert_allclose(made, 2 * page["foreign"](x, t, label), rtol=1e-6)


def test_a_score_needs_a_class_and_a_shape(page):
    with pytest.raises(InvalidInput, match="at least one class"):
        page["from_score"](page["score"], shape=(), classes=2, schedule=page["schedule"])
