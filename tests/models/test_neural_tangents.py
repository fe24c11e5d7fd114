import os
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.models._neural_tangents import nt, predict, relaxed, stax

REFERENCE = runpy.run_path(str(Path(__file__).parents[1] / "kernels" / "reference" / "make_reference.py"))
CASES = REFERENCE["CASES"]
VALUES = np.load(REFERENCE["VALUES"], allow_pickle=False)


def test_every_reference_value_belongs_to_a_case():
    assert {name.split("[")[0] for name in VALUES.files} == set(CASES)


@pytest.mark.filterwarnings("ignore:`FanIn` layers assume independent inputs")
@pytest.mark.parametrize("name", CASES)
def test_gives_the_values_of_the_unmodified_library(name):
    with relaxed(), float64():
        values = REFERENCE["flat"](CASES[name](nt))
    assert {name + place for place in values} == {key for key in VALUES.files if key.split("[")[0] == name}
    for place, value in values.items():
        expected = VALUES[name + place]
        assert value.dtype == np.float64
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


def run_python(code, *, path=None):
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), root] if path else [root])}
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_leaves_jax_as_it_was_and_imports_no_tensorflow():
    result = run_python(
        """
        import sys
        import infojax
        assert "neural_tangents" not in sys.modules
        import jax.core, jax.extend.linear_util, jax.extend.source_info_util, jax.interpreters.ad, jax.experimental.ode
        import jax.example_libraries.stax, jax.scipy.special

        def names():
            return {(name, key) for name, module in list(sys.modules.items()) if name.split(".")[0] == "jax"
                    for key in vars(module)}

        before = names()
        import infojax.models._neural_tangents
        after = names()
        assert before == after, before ^ after
        assert "neural_tangents" in sys.modules
        assert not {"tensorflow", "tf2jax", "neural_tangents.experimental"} & set(sys.modules)
        """
    )
    assert result.returncode == 0, result.stderr


def test_can_be_imported_while_jax_traces():
    result = run_python(
        """
        import jax, jax.numpy as jnp

        def kernel(x):
            from infojax.models import relaxed, stax
            with relaxed():
                return stax.serial(stax.Dense(1), stax.Gelu(), stax.Dense(1))[2](x, None, "ntk")

        first, second = jax.jit(kernel)(jnp.eye(3)), jax.jit(kernel)(2 * jnp.eye(3))
        assert bool(jnp.isfinite(first).all()) and bool((second > first).all())
        """
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("library", "reason"),
    [
        ("from jax.core import NoSuchName", "NoSuchName"),
        ("import no_such_dependency", "no_such_dependency"),
        ("stax = None", "_src"),
    ],
)
def test_a_library_that_does_not_fit_is_an_error_with_versions(tmp_path, library, reason):
    (tmp_path / "neural_tangents").mkdir()
    (tmp_path / "neural_tangents" / "__init__.py").write_text(library)
    result = run_python("import infojax.models._neural_tangents", path=tmp_path)
    assert result.returncode == 1
    assert f"IncompatibleVersion: neural-tangents 0.6.5 does not work with JAX {jax.__version__}" in result.stderr
    assert reason in result.stderr.splitlines()[-1]


def test_relaxed_lifts_strictness_only_inside():
    def mixed():
        return jnp.ones((2, 3), jnp.float32) + jnp.ones(3, jnp.float16)

    assert relaxed()(mixed)().dtype == jnp.float32
    with relaxed():
        assert mixed().shape == (2, 3)
    with pytest.raises((TypeError, ValueError)):
        mixed()


def test_structured_derivatives_without_rules_and_without_jit():
    init, apply, _ = stax.serial(stax.Dense(4), stax.Erf(), stax.Dense(3))
    x = np.random.default_rng(0).normal(size=(3, 5))
    with relaxed(), float64():
        params = init(jax.random.key(0), x.shape)[1]
        kernels = [nt.empirical_ntk_fn(apply, trace_axes=(), implementation=1)(x, None, params)]
        for rules in ({}, {"_j_rules": False, "_fwd": True}, {"_j_rules": False, "_fwd": False}, {"_s_rules": False}):
            structured = nt.empirical_ntk_fn(apply, trace_axes=(), implementation=3, **rules)
            kernels.append(structured(x, None, params))
    for kernel in kernels[1:]:
        np.testing.assert_allclose(kernel, kernels[0], rtol=1e-10)


@pytest.mark.parametrize("trace_axes", [(), (-1,)])
def test_chooses_an_implementation_by_itself(capsys, trace_axes):
    init, apply, _ = stax.serial(stax.Dense(6), stax.Erf(), stax.Dense(3))
    x1, x2 = np.random.default_rng(0).normal(size=(3, 5)), np.random.default_rng(1).normal(size=(2, 5))
    with relaxed(), float64():
        params = init(jax.random.key(0), x1.shape)[1]
        for other in (x2, None):
            chosen, named = (
                nt.empirical_ntk_fn(apply, trace_axes=trace_axes, implementation=name)(x1, other, params)
                for name in (nt.NtkImplementation.AUTO, nt.NtkImplementation.JACOBIAN_CONTRACTION)
            )
            np.testing.assert_allclose(chosen, named, rtol=1e-10)
    assert "inf" not in capsys.readouterr().out


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_largest_learning_rate(momentum):
    factor = np.random.default_rng(0).normal(size=(6, 6))
    kernel = factor @ factor.T
    with relaxed(), float64():
        rate = predict.max_learning_rate(jnp.asarray(kernel), momentum=momentum)
        for_twelve = predict.max_learning_rate(kernel, y_train_size=12, momentum=momentum)
        of_outputs = predict.max_learning_rate(np.kron(kernel, np.eye(2)).reshape(6, 2, 6, 2).transpose(0, 2, 1, 3))
    largest = np.linalg.eigvalsh(kernel)[-1]
    np.testing.assert_allclose(rate, 2 * (1 + momentum) * 6 / largest, rtol=1e-9)
    np.testing.assert_allclose(for_twelve, 2 * (1 + momentum) * 12 / largest, rtol=1e-9)
    np.testing.assert_allclose(of_outputs, 2 * 12 / largest, rtol=1e-9)


@pytest.mark.parametrize("device_count", [0, 4], ids=["one by one", "over devices"])
@pytest.mark.parametrize("batch_size", [2, 4])
def test_batches_of_a_composition_have_every_field_of_the_whole(device_count, batch_size):
    """Kernels as inputs of kernels, cut into batches: numbers, shapes and flags."""
    first = stax.serial(stax.Dense(4, b_std=0.1), stax.Relu())[2]
    second = stax.serial(stax.Dense(4), stax.Erf(), stax.Dense(1))[2]
    x1, x2 = np.random.default_rng(0).normal(size=(16, 3)), np.random.default_rng(1).normal(size=(32, 3))
    with relaxed(), float64():
        for other in (x2, None):
            whole = second(first(x1, other))
            batched = nt.batch(second, batch_size=batch_size, device_count=device_count)(
                nt.batch(first, batch_size=batch_size, device_count=device_count)(x1, other)
            )
            for name, value in whole.asdict().items():
                if isinstance(value, jax.Array):
                    np.testing.assert_allclose(getattr(batched, name), value, rtol=1e-6, err_msg=name)
                else:
                    assert getattr(batched, name) == value, name
