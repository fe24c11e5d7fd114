"""Steps that are too large are found before the kernel is built; steps that are not, never."""

import jax
import numpy as np
import pytest

from infojax.cli import main
from infojax.cli.score.stability import largest_at_least, require_stable
from infojax.data import load
from infojax.errors import InvalidInput
from infojax.kernels import empirical_ntk
from infojax.models import mlp


@pytest.mark.parametrize(("outputs", "n"), [(1, 70), (3, 20), (10, 64)])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_the_bound_lies_below_the_largest_eigenvalue_and_near_it(outputs, n, seed):
    x = load("digits").split(n, 5, seed=seed)[0].x
    network = mlp(hidden=(16,), outputs=outputs)
    params = network.init(jax.random.key(seed), x.shape[1:])
    largest = np.linalg.eigvalsh(np.asarray(empirical_ntk(network, params, x), np.float64))[-1]
    least = largest_at_least(network, params, x, outputs)
    assert 0.6 * largest < least <= largest
    safe = 2 / (largest / n + 0.1)
    require_stable(network, params, x, 0.999 * safe, 0.1, kept=n, outputs=outputs)
    with pytest.raises(InvalidInput, match="Use a learning_rate below about"):
        require_stable(network, params, x, 2.0 * safe, 0.1, kept=n, outputs=outputs)


def test_no_kernel_is_built_for_steps_that_diverge(monkeypatch, capsys, tmp_path):
    def never(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("infojax.cli.score.score.linearize", never)
    options = ["--train", "40", "--validation", "20", "--hidden", "8", "--learning-rate", "10"]
    with pytest.raises(SystemExit) as left:
        main(["score", "digits", *options, "--out", str(tmp_path / "out")])
    assert left.value.code == 2
    assert "learning_rate 10 diverges: η s_max is at least" in capsys.readouterr().err
