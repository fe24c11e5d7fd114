"""The exact test error of ridge regression on selected data whose covariance is not the identity."""

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from infojax.arrays import traced
from infojax.errors import InvalidInput
from infojax.scaling._batched import batched
from infojax.scaling._roots import root
from infojax.scaling.registry.checked import changed, require
from infojax.scaling.registry.problems import RidgeProblem
from infojax.scaling.ridge.ridge_law import RidgeLaw, law_of
from infojax.scaling.selection.kept import kept_moments
from infojax.scaling.selection.moments import orthonormal
from infojax.scaling.selection.rules import Selection


class Geometry(NamedTuple):
    """What the law needs to know of the covariance and the directions, in its eigenbasis, whitened."""

    spectrum: Float[Array, " d"]  # eigenvalues of Σ
    basis: Float[Array, "d 2"]  # orthonormal: Σ^½w_s, and what Σ^½w_g adds to it
    truth: Float[Array, " d"]  # Σ^½w_*, of unit length
    cosine: Float[Array, ""]  # of Σ^½w_s and Σ^½w_g


def anisotropic_law(
    selection: Selection,
    *,
    spectrum: ArrayLike,
    truth: ArrayLike,
    pruner: ArrayLike,
    samples: ArrayLike,
    ridge: ArrayLike,
    generator: ArrayLike | None = None,
    label_aware: bool = False,
    labels: Literal["sign", "linear"] = "sign",
    noise: ArrayLike = 0.0,
    flips: ArrayLike = 0.0,
) -> RidgeLaw:
    """`ridge_law` for x ~ N(0, Σ), as d, n → ∞ with the spectrum and the directions given.

    Labels are y = sign(w_g·x), or w_g·x/√(w_g·Σw_g) + noise; the rule looks at w_s·x/√(w_s·Σw_s); test labels are the
    truth's. With one eigenvalue this is `ridge_law` with ratio = d/samples.

    Args:
        selection: a rule without weights.
        spectrum: (d,) eigenvalues of Σ, not negative. `power_spectrum(d, exponent)` makes a usual one.
        truth, pruner, generator: (d,) coefficients of w_*, w_s, w_g in the eigenbasis of Σ, of any length;
            the generator is the truth where it is None.
        samples: n, size of the pool.
        ridge: λ ≥ 0, in the 1/n-pool normalisation.
        label_aware, labels, noise, flips: as in `ridge_law`.

    The selection's numbers, samples, ridge, noise and flips may be arrays that broadcast together. Fields are those of
    `ridge_law`, norm being √(ŵ·Σŵ), the standard deviation of the prediction.

    Raises `InvalidInput` on vectors of other lengths, negative eigenvalues, directions that are zero or without
    variance, weighted rules, and numbers out of range.

    >>> import numpy as np
    >>> from infojax.scaling import RidgeProblem, keep_hard, ridge_law
    >>> ones = np.ones(50)
    >>> law = anisotropic_law(keep_hard(0.3), spectrum=ones, truth=ones, pruner=ones, samples=500, ridge=0.1)
    >>> bool(np.isclose(law.error, ridge_law(RidgeProblem(keep_hard(0.3), pruner=1.0, ratio=0.1, ridge=0.1)).error))
    True
    """
    geometry, problem = checked_anisotropic(
        selection, spectrum, truth, pruner, generator, samples, ridge, noise, flips, labels, label_aware
    )
    return batched(_law_at, problem, shared=(geometry,))


def checked_anisotropic(
    selection: Selection,
    spectrum: ArrayLike,
    truth: ArrayLike,
    pruner: ArrayLike,
    generator: ArrayLike | None,
    samples: ArrayLike,
    ridge: ArrayLike,
    noise: ArrayLike,
    flips: ArrayLike,
    labels: Literal["sign", "linear"],
    label_aware: bool,
) -> tuple[Geometry, RidgeProblem]:
    """What the law and its simulation share, or `InvalidInput`: a problem whose ratio is samples, as 1/n."""
    if not isinstance(selection, Selection) or selection.weighted:
        raise InvalidInput("anisotropic_law knows rules without weights: keep_hard, keep_easy, keep_random, soft")
    samples = require("samples", samples, lambda v: (v >= 1) & (v < np.inf), "the size of the pool, 1 or more")
    kinds = {"labels": labels, "label_aware": label_aware}
    problem = RidgeProblem(selection, pruner=1.0, ratio=samples, ridge=ridge, noise=noise, flips=flips, **kinds)
    return whitened(spectrum, truth, pruner, truth if generator is None else generator), problem


def power_spectrum(dimension: int, exponent: float) -> Float[np.ndarray, " d"]:
    """Eigenvalues i^−exponent, i = 1 … d, scaled to a mean of 1: real data have exponents of about 1 to 1.5."""
    if not 1 <= dimension <= 10**8 or not abs(exponent) <= 20:
        raise InvalidInput(f"power_spectrum({dimension}, {exponent}): give a dimension from 1 to 10⁸, an exponent ≤ 20")
    spectrum = np.arange(1.0, dimension + 1) ** -exponent
    return spectrum / spectrum.mean()


def whitened(spectrum: ArrayLike, truth: ArrayLike, pruner: ArrayLike, generator: ArrayLike) -> Geometry:
    """The directions times Σ^½, checked."""
    vectors = {"spectrum": spectrum, "truth": truth, "pruner": pruner, "generator": generator}
    shapes = {name: np.shape(vector) for name, vector in vectors.items()}
    if len(set(shapes.values())) != 1 or len(np.shape(spectrum)) != 1:
        raise InvalidInput(f"spectrum and directions must be vectors of one length d; their shapes are {shapes}")
    known = not traced(vectors)
    xp: Any = np if known else jnp
    values = {name: xp.asarray(vector, float) for name, vector in vectors.items()}
    if known and not (np.isfinite(values["spectrum"]).all() and (values["spectrum"] >= 0).all()):
        raise InvalidInput(f"spectrum holds {np.asarray(values['spectrum']).min()}; a covariance has eigenvalues ≥ 0")
    given = values.pop("spectrum")
    root = xp.sqrt(given if known else jnp.where((given >= 0).all(), given, jnp.nan))
    lengths = {name: xp.linalg.norm(root * vector) for name, vector in values.items()}
    for name, length in lengths.items():
        if known and not (np.isfinite(length) and length > 0):
            raise InvalidInput(f"the {name} has variance {float(length) ** 2:g} under this covariance; it must be > 0")
    units = {name: root * vector / lengths[name] for name, vector in values.items()}
    cosine = xp.clip(units["pruner"] @ units["generator"], -1, 1)
    rest = units["generator"] - cosine * units["pruner"]
    # where the two fall together nothing happens along the second vector, whatever it is
    second = rest / xp.maximum(xp.linalg.norm(rest), xp.finfo(rest.dtype).eps)
    basis = xp.stack([units["pruner"], second], 1)
    return Geometry(root**2, basis, units["truth"], cosine)


def _law_at(problem: RidgeProblem, geometry: Geometry) -> RidgeLaw:
    """With the effective ridge κ, Λ the spectrum, and the kept moments p, K, c in the basis U of two directions:

    κ (p − 1/n Σ Λ/(Λ + κ)) = λ,        B = Uᵀ Λ/(Λ + κ) U,        a = B (p + (K − p) B)⁻¹ c,
    f = Λ/(Λ + κ) U (p + (K − p) B)⁻¹ c,   v = 1/(p n) Σ Λ²/(Λ + κ)²,
    ‖ŵ‖²_Σ = ‖f‖² + v (‖f‖² − ‖a‖² + E[q(y − a·G)²]/p) / (1 − v),   p (1 − v) = λ/κ + 1/n Σ Λκ/(Λ + κ)².
    """
    samples, ridge = jnp.asarray(problem.ratio), jnp.asarray(problem.ridge)
    problem = changed(problem, {"pruner_generator": geometry.cosine.astype(ridge.dtype)})
    moments = kept_moments(problem)
    second, c = orthonormal(moments, jnp.asarray(problem.pruner_generator))
    p = moments.kept
    spectrum, basis, truth = (jnp.asarray(v, ridge.dtype) for v in geometry[:3])
    kappa = effective_ridge(spectrum, p * samples, ridge * samples)
    gain = jnp.where(spectrum > 0, spectrum / jnp.where(spectrum > 0, spectrum + kappa, 1), 0)
    b = basis.T @ (gain[:, None] * basis)
    inner = jnp.linalg.solve(p * jnp.eye(2, dtype=p.dtype) + (second - p * jnp.eye(2, dtype=p.dtype)) @ b, c)
    a, f = b @ inner, gain * (basis @ inner)
    v = jnp.sum(gain**2) / (p * samples)
    # 1 − v as a sum
    bent = jnp.sum(jnp.where(spectrum > 0, gain * kappa / jnp.where(spectrum > 0, spectrum + kappa, 1), 0))
    rank = jnp.sum((spectrum > 0).astype(p.dtype))
    free = jnp.where(kappa > 0, samples * ridge / jnp.where(kappa > 0, kappa, 1), p * samples - rank)
    residual = moments.power - 2 * a @ c + a @ (second @ a)
    along = truth @ f
    lost, beyond = f - along * truth, f - basis @ a
    across = lost @ lost + v * (beyond @ beyond + residual / p) * p * samples / (free + bent)
    return law_of(along, across, problem.labels)


def effective_ridge(
    spectrum: Float[Array, " d"], samples: Float[Array, ""], ridge: Float[Array, ""]
) -> Float[Array, ""]:
    """κ ≥ 0 with κ (samples − Σ Λ/(Λ + κ)) = ridge: the ridge that infinitely many examples would need to act alike.

    Without a ridge it is 0 where samples outnumber the positive eigenvalues, and positive where they do not.
    """

    def excess(kappa: Float[Array, ""]) -> Float[Array, ""]:
        return kappa * (samples - jnp.sum(spectrum / (spectrum + kappa))) - ridge

    high = (ridge + spectrum.sum()) / samples
    kappa = root(excess, 1e-25 * high, high, geometric=True, halvings=70)
    rank = jnp.sum((spectrum > 0).astype(spectrum.dtype))
    return jnp.where((ridge == 0) & (samples > rank), 0, kappa)
