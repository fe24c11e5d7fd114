"""Kernels and residuals of any size, brought to about one by powers of two, which lose nothing.

With Θ = c Θ', K* = b K*', r = ρ r' and rates and decay that go along, η' = ηc and λ' = λ/c, coefficients are
a = (ρ/c) a', so that

    ‖w − w_−i‖² = (ρ²/c) ‖w − w_−i‖'²,   Σ ‖f_w − f_w−i‖² = (b ρ/c)² Σ ‖f_w − f_w−i‖'².

Without this a kernel of 1e-200 has coefficients of 1e200, whose squares are infinite.
"""

from typing import Any, NamedTuple

import numpy as np

from infojax.errors import InvalidInput
from infojax.linearized._training import Converged, Training, with_rates

# A training that ends early, or a large decay, keeps coefficients this small; they are scaled up with the residual.
_MOST = 900


class Scales(NamedTuple):
    """Exponents of two of Θ, K* and r."""

    theta: int
    points: int
    targets: int

    @classmethod
    def of(cls, theta: Any, cross: Any, residual: Any, training: Training) -> "Scales":
        """Those that bring Θ and K* to one, and what training makes of r too."""
        c, b, r = (_exponent(x) for x in (float(theta.values[-1]), _largest(cross), _largest(residual)))
        # φ(z) is at most the horizon, and at most 1/λ; below one where training is short or the decay is large.
        decay = float(np.max(training.decay))
        limits = [] if decay == 0 else [-_exponent(decay) + c]
        if not isinstance(training, Converged):
            length = getattr(training, "time", None)
            length = training.steps if length is None else length  # pyright: ignore[reportAttributeAccessIssue]
            limits.append(_exponent(float(length)) + _exponent(float(np.max(training.learning_rate))) + c)
        short = min([0, *limits])
        return cls(c, b, max(-_MOST, min(_MOST, r + short)))

    def kernel(self, values: Any) -> Any:
        """S'."""
        return np.ldexp(np.asarray(values, np.float64), -self.theta)

    def cross(self, cross: Any) -> Any:
        """K*'."""
        return np.ldexp(np.asarray(cross, np.float64), -self.points) if self.points else np.asarray(cross, np.float64)

    def residual(self, residual: Any) -> Any:
        """r'."""
        return np.ldexp(np.asarray(residual, np.float64), -self.targets)

    def training(self, training: Training) -> Training:
        """The training of Θ'."""
        decay = np.ldexp(np.asarray(training.decay, np.float64), -self.theta)
        if isinstance(training, Converged):
            return with_rates(training, None, decay)
        return with_rates(training, np.ldexp(np.asarray(training.learning_rate, np.float64), self.theta), decay)

    def results(self, made: np.ndarray) -> list[np.ndarray]:
        """Distances of weights, of predictions, and the errors of both, in the units of Θ, K* and r.

        Raises:
            InvalidInput: they are beyond the numbers of float64.
        """
        weights, points = 2 * self.targets - self.theta, 2 * (self.points + self.targets - self.theta)
        with np.errstate(over="ignore", under="ignore"):
            scaled = [np.ldexp(row, by) for row, by in zip(made, (weights, points) * 2, strict=True)]
        for row, there in zip(scaled[:2], made[:2], strict=True):
            lost = (row < np.finfo(float).tiny) & (there >= np.finfo(float).tiny)
            if not np.isfinite(row).all() or lost.any():
                raise InvalidInput(
                    f"Scores are {'below' if lost.any() else 'beyond'} the numbers of float64 (1e-308 to 1e308): the "
                    f"kernel's largest eigenvalue is about {_decimal(self.theta)}, entries of validation_kernel reach "
                    f"{_decimal(self.points)}. Scale inputs, kernels or residuals to about one."
                )
        return scaled


def _largest(array: Any) -> float:
    array = np.asarray(array)
    return max(float(array.max(initial=0)), -float(array.min(initial=0)))


def _exponent(size: float) -> int:
    return int(np.frexp(size)[1]) if 0 < size < np.inf else 0


def _decimal(exponent: int) -> str:
    return f"1e{round(exponent * np.log10(2)):d}"
