"""Information of infinitely wide ensembles against Gaussians really made without each example, and against
neural-tangents for the Gaussians themselves.
"""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infojax import Converged, GradientDescent, GradientFlow
from infojax.errors import InvalidInput
from infojax.information import ensemble_from_kernels, ensemble_information
from infojax.information.ensembles.gaussians import divergence
from infojax.linearized import spectrum
from infojax.linearized.leave_out.brute_force import submatrix_ensembles

JITTER = 1e-3


def problem(n, m, k, seed, duplicate=False):
    """Kernels of a random two-layer model at initialisation: NTK = NNGP + (another positive kernel)."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n + m, 40)) * np.geomspace(1.0, 0.1, 40)
    tangents = rng.normal(size=(n + m, 40)) * np.geomspace(1.0, 0.3, 40)
    if duplicate:
        features[1], tangents[1] = features[0], tangents[0]
    nngp = features @ features.T
    ntk = nngp + tangents @ tangents.T
    return {
        "train_kernel": ntk[:n, :n],
        "validation_kernel": ntk[n:, :n],
        "targets": rng.normal(size=(n, k)),
        "nngp": nngp[:n, :n],
        "cross_nngp": nngp[n:, :n],
        "validation_nngp": nngp[n:, n:],
    }


def brute_force(kernels, groups, jitter, **settings):
    """Joint and pointwise divergence of every group, by the definition."""
    theta, cross, targets = (kernels[name] for name in ("train_kernel", "validation_kernel", "targets"))
    priors = [kernels[name] for name in ("nngp", "cross_nngp", "validation_nngp")]
    noise = jitter * np.mean(np.diag(priors[2])) * np.eye(len(cross))
    gaussians = submatrix_ensembles(theta, cross, *priors, targets, [np.array([], int), *groups], **settings)
    (mean, covariance), *without = [(mean, covariance + noise) for mean, covariance in gaussians]
    joint = [divergence(mean, covariance, *other) for other in without]
    points = [
        np.mean([divergence(mean[[x]], covariance[[x]][:, [x]], mu[[x]], s[[x]][:, [x]]) for x in range(len(cross))])
        for mu, s in without
    ]
    return np.array(joint), np.array(points)


def agree(ours, theirs, rtol=1e-8):
    for mine, other in zip((ours.joint, ours.pointwise), theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=1e-9 * other.max())


def training_of(kind, kernels, examples, convention, decay):
    scale = examples if convention == "mean" else 1
    rate = 0.8 / (np.linalg.eigvalsh(kernels["train_kernel"])[-1] / scale + decay * (convention == "mean" or 1))
    return {
        "descent": GradientDescent(200, rate, decay, convention),
        "few steps": GradientDescent(7, rate, decay, convention),
        "flow": GradientFlow(500.0, rate, decay, convention),
        "converged": Converged(decay, convention),
    }[kind]


@pytest.mark.parametrize(  # m below and above the rank of the change
    ("kind", "shape"),
    [
        pytest.param("descent", (9, 60, 1), marks=pytest.mark.slow),
        ("descent", (9, 4, 3)),
        pytest.param("few steps", (9, 4, 3), marks=pytest.mark.slow),
        pytest.param("converged", (9, 4, 3), marks=pytest.mark.slow),
    ],
)
@settings(max_examples=8)
@given(
    convention=st.sampled_from(["sum", "mean"]),
    decay=st.sampled_from([0.0, 0.1]),
    duplicate=st.booleans(),
    seed=st.integers(0, 10**6),
)
@example(convention="mean", decay=0.1, duplicate=False, seed=0)
@example(convention="sum", decay=0.0, duplicate=True, seed=1)
def test_equals_gaussians_without_each_example(kind, shape, convention, decay, duplicate, seed):
    n, m, k = shape
    kernels = problem(n, m, k, seed, duplicate)
    training = training_of(kind, kernels, n - 1, convention, decay)
    run = {"training": training, "jitter": JITTER}
    agree(ensemble_from_kernels(**kernels, **run), brute_force(kernels, np.arange(n)[:, None], **run))


@pytest.mark.parametrize("kind", ["flow", pytest.param("converged", marks=pytest.mark.slow)])
def test_groups_of_different_sizes(kind):
    kernels = problem(n=12, m=5, k=2, seed=5)
    training = training_of(kind, kernels, 7, "mean", 0.1)
    run = {"training": training, "jitter": 0.0}
    groups = [np.array([0]), np.array([3, 1, 7])]
    agree(ensemble_from_kernels(**kernels, groups=groups, **run), brute_force(kernels, groups, **run))


def test_blocks_and_a_spectrum_that_was_kept_change_nothing():
    kernels = problem(n=9, m=4, k=3, seed=6)
    run = {"training": Converged(0.1)}
    fresh = ensemble_from_kernels(**kernels, **run, block=4)
    kernels["train_kernel"] = spectrum(kernels["train_kernel"])
    kept = ensemble_from_kernels(**kernels, **run)
    np.testing.assert_allclose(kept.joint, fresh.joint, rtol=1e-10)
    alone = ensemble_from_kernels(**kernels, **run, joint=False)
    assert alone.joint is None
    np.testing.assert_allclose(alone.pointwise, kept.pointwise, rtol=1e-12)


def test_more_validation_points_hold_more_information():
    kernels = problem(n=9, m=4, k=3, seed=7)
    few = {name: kernels[name][:3] for name in ("validation_kernel", "cross_nngp")}
    few["validation_nngp"] = kernels["validation_nngp"][:3, :3]
    more, less = (ensemble_from_kernels(**kernels | part, training=Converged()) for part in ({}, few))
    assert (more.joint > less.joint).all()
    assert (more.joint_means > less.joint_means).all()


@pytest.fixture(scope="module")
def digits():
    """A network with k = 2 outputs, 14 training and 6 validation examples."""
    from infojax.data import load
    from infojax.models import from_stax
    from infojax.models._neural_tangents import stax

    layers = (stax.Dense(8, b_std=0.1), stax.Relu(), stax.Dense(2))
    network = from_stax(stax.serial(stax.Flatten(), *layers))
    return network, *load("digits").only(0, 1, 2).split(14, 6, seed=0)


@pytest.mark.parametrize("diag_reg", [0.0, 0.01])
@pytest.mark.parametrize("time", [pytest.param(5.0, marks=pytest.mark.slow), None])
def test_equals_neural_tangents(digits, time, diag_reg):
    from infojax.arrays._precision import float64
    from infojax.kernels import infinite_width
    from infojax.linearized._ensemble import ensemble, ensemble_predictions
    from infojax.models._neural_tangents import predict, relaxed

    network, train, validation = digits
    x, points, y = (np.asarray(a, np.float64) for a in (train.x, validation.x, train.targets))
    own, across = infinite_width(network, x, kind="both"), infinite_width(network, points, x, kind="both")
    kernels = ensemble(
        spectrum(own.ntk), across.ntk, own.nngp, across.nngp, infinite_width(network, points, kind="nngp"), y
    )
    training = Converged(diag_reg, "sum") if time is None else GradientFlow(time, 1 / y.size, diag_reg, "sum")
    mean, covariance = ensemble_predictions(kernels, training=training)
    with float64(), relaxed():
        made = predict.gradient_descent_mse_ensemble(
            network.kernel, x, y, diag_reg=diag_reg, diag_reg_absolute_scale=True
        )
        theirs = made(t=time, x_test=points, get="ntk", compute_cov=True)
        # A ReLU's kernel of an input with itself goes through arccos(1), which rounds to 1e-8.
        np.testing.assert_allclose(mean, theirs.mean, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(covariance, theirs.covariance, rtol=1e-6, atol=1e-7)


def test_from_a_network(digits):
    network, train, validation = digits
    scores = ensemble_information(network, train, validation, training=GradientDescent(100, 0.05))
    assert scores.joint.shape == (14,)
    assert (scores.joint > scores.joint_means).all()
    assert (scores.joint > scores.pointwise).all()


def test_validation_on_training_points_needs_jitter(digits):
    network, train, _ = digits
    run = {"training": Converged()}
    with pytest.raises(InvalidInput, match=r"smallest eigenvalue .* give a jitter"):
        ensemble_information(network, train, train, **run)
    with pytest.raises(InvalidInput, match="smallest variance"):
        ensemble_information(network, train, train, joint=False, **run)
    small, large = (ensemble_information(network, train, train, jitter=j, **run).joint for j in (1e-6, 1e-4))
    # With i every network gives its target; without, their outputs vary by v: k/2 ln(v/jitter) nats.
    np.testing.assert_allclose(small - large, 3 / 2 * np.log(100), rtol=0.1)


GOOD = problem(n=4, m=2, k=1, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": np.ones(3)}, "Shapes do not fit"),
        ({"targets": np.array([1.0, np.nan, 0.0, 0.0])}, "targets has 1 NaN"),
        ({"nngp": np.eye(3)}, "kernels of examples"),
        ({"validation_nngp": np.full((2, 2), np.inf)}, "validation_nngp has 4 NaN"),
        ({"validation_nngp": np.ones((2, 2))}, "smallest eigenvalue"),
        ({"jitter": -1.0}, "jitter is -1.0"),
        ({"training": GradientDescent(9, 9.0)}, "diverges"),
        ({"groups": [[0, 1, 2, 3]]}, "4 of 4 examples"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(InvalidInput, match=message):
        ensemble_from_kernels(**{**GOOD, "training": Converged(), **change})
