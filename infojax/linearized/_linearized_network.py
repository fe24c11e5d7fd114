"""A linearized network, factored once: everything in closed form is asked of it.

    f_w(x) = f₀(x) + J(x) (w − w₀),   Θ = J Jᵀ = U S Uᵀ,   K* = J* Jᵀ,   r = Y − f₀(X)

for n training examples X with targets Y and m validation examples X*, k outputs each; N = n·k, M = m·k.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import ArrayLike, Float, Num

from infojax.arrays import array_of_reals, real_array, refuse_tracers, require_matrix, require_moderate
from infojax.errors import InvalidInput
from infojax.files import require_room_to_factor
from infojax.linearized._spectrum import Spectrum, rows_of, spectrum_of


@dataclass(frozen=True, eq=False)
class LinearizedNetwork:
    """What training in closed form needs of a network; `linearize` and `linearize_kernels` make it.

    Attributes:
        spectrum: of Θ (N, N), example-major.
        residual: r (n, k), targets minus initial outputs, in float64.
        cross: K* (M, N), validation × training, in the dtype that it was made in; None without validation examples.
        targets: Y (n, k), where they are known.
        validation_outputs: f₀(X*) (m, k), where they are known.
        blurred: whether rounding makes rows of Θ equal whose examples differ: then no digit of a score is right.
        finer: makes the same anew in float64, or gives None where that does not fit or brings nothing; None in float64.

    Raises:
        InvalidInput: a residual that is no (n, k) with n ≥ 2 and as many numbers as the kernel has rows, or has NaN.

    >>> from infojax.linearized import spectrum
    >>> made = LinearizedNetwork(spectrum(np.eye(4)), np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> made.examples, made.outputs
    (2, 2)
    """

    spectrum: Spectrum
    residual: Float[np.ndarray, "n k"]
    cross: Num[np.ndarray, "M N"] | None = None
    targets: Num[np.ndarray, "n k"] | None = None
    validation_outputs: Float[np.ndarray, "m k"] | None = None
    blurred: bool = False
    finer: "Callable[[], LinearizedNetwork | None] | None" = None

    def __post_init__(self) -> None:
        residual, rows = array_of_reals("residual", self.residual), len(self.spectrum.values)
        if residual.ndim != 2 or residual.size != rows or len(residual) < 2:
            raise InvalidInput(
                f"residual has shape {residual.shape}, the kernel {rows} rows; it must be (n, k), with n·k rows in the "
                "kernel and n ≥ 2."
            )
        require_moderate("residual", residual)

    @property
    def examples(self) -> int:
        """n."""
        return len(self.residual)

    @property
    def outputs(self) -> int:
        """How many rows of the kernel belong to one example."""
        return len(self.spectrum.values) // self.examples

    @property
    def validation_kernel(self) -> Num[np.ndarray, "M N"]:
        """K*. Raises InvalidInput where there are no validation examples."""
        if self.cross is None:
            raise InvalidInput(
                "This linearized network has no validation examples, on which predictions could be compared: give them "
                "to ij.linearize(network, params, train, validation), or their kernel to linearize_kernels."
            )
        return self.cross


def linearize_kernels(
    train_kernel: Num[ArrayLike, "..."] | Spectrum,
    validation_kernel: Num[ArrayLike, "..."] | None,
    residual: Num[ArrayLike, "..."],
    *,
    outputs: int = 1,
) -> LinearizedNetwork:
    """A linearized network from kernels that are there, such as those of an infinitely wide network.

    Args:
        train_kernel: Θ (N, N) on the training set, N = n·outputs, example-major; or its `spectrum`.
        validation_kernel: K* (M, N), validation × training, M = m·outputs; None where no predictions are compared.
        residual: targets minus initial outputs, (N,) or (n, outputs).
        outputs: k, outputs per example.

    Raises:
        InvalidInput: shapes that do not fit, NaN, a kernel that is not positive semi-definite, arguments that are
            traced.
        OverBudget: there is not enough free memory to factor the kernel.

    >>> kernel = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> linearize_kernels(kernel, kernel[:1], np.array([1.0, 0.0])).spectrum.values.round(6)
    array([1., 3.])
    """
    refuse_tracers("An argument", train_kernel, validation_kernel, residual)
    r = real_array("residual", residual).reshape(-1)
    cross = None if validation_kernel is None else array_of_reals("validation_kernel", validation_kernel)
    if outputs < 1:
        raise InvalidInput(f"outputs is {outputs}; a network has at least one output.")
    require_moderate("residual", r)
    rows = rows_of(train_kernel)
    check_shapes((rows, rows), None if cross is None else cross.shape, len(r), outputs)
    if cross is not None:
        require_moderate("validation_kernel", cross)
    if not isinstance(train_kernel, Spectrum):
        require_room_to_factor(rows, 0 if cross is None else len(cross), device=jax.local_devices()[0])
    return LinearizedNetwork(spectrum_of(train_kernel), r.reshape(-1, outputs), cross)


def check_shapes(train: tuple[int, ...] | None, cross: tuple[int, ...] | None, rows: int, outputs: int) -> int:
    """The number n of examples of a residual with so many rows; InvalidInput where kernels of these shapes (None: not
    known, or none) are not of so many."""
    if cross is not None:
        require_matrix("validation_kernel", cross, "(M, N) with M ≥ 1")
        if cross[0] == 0:
            raise InvalidInput(f"validation_kernel has shape {cross}; it must be (M, N) with M ≥ 1.")
    fit = (train is None or all(size == rows for size in train)) and rows % outputs == 0
    if not fit or (cross is not None and (cross[1] != rows or cross[0] % outputs)):
        one = train is not None and all(size * outputs == rows for size in train)
        remedy = (
            " Kernels of examples, the same for all outputs, become that by np.kron(kernel, np.eye(k))."
            if one and (cross is None or cross[1] * outputs == rows)
            else ""
        )
        raise InvalidInput(
            f"Shapes do not fit: train_kernel {train or 'any'}, validation_kernel {cross or 'none'}, residual {rows} "
            f"entries, outputs {outputs}. With n examples, m validation points and k outputs they are (nk, nk), "
            f"(mk, nk), nk.{remedy}"
        )
    if rows // outputs < 2:
        raise InvalidInput(f"There is {rows // outputs} training example; leaving one out needs at least 2.")
    return rows // outputs
