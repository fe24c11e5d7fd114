"""Unique information from products with the kernel: where it is too large to factor, or few examples are asked for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from infojax.arrays import array_of_reals, float64, plain_array, real_array, refuse_tracers, require_moderate
from infojax.errors import InvalidInput
from infojax.files import checkpoint as checkpoints
from infojax.files import free_memory
from infojax.information._settings import check_settings
from infojax.information.products.rounding import Rounding, largest_of_root
from infojax.information.products.scores import Scores, norm_of_rows, scores
from infojax.kernels import choose_devices
from infojax.linearized import (
    HARMLESS,
    Change,
    Converged,
    Filters,
    GradientDescent,
    Groups,
    Products,
    Rows,
    Scalar,
    Spectral,
    Training,
    as_float64,
    as_sum,
    chebyshev_series,
    check_shapes,
    columns_at_once,
    products_with,
    relative_error,
    resident,
    rows_of_groups,
    spectral,
    terms_needed,
    train_to_convergence,
    training_filter,
    warn_of_lost_digits,
    without_each,
    without_each_converged,
)

if TYPE_CHECKING:
    from rich.progress import Progress


class BoundedInformation(NamedTuple):
    """Unique information from products, with what it may be off by; one entry per example (or per group).

    Attributes:
        si: SI.
        f_si: F-SI.
        si_error: of SI; the rounding of the kernel's own dtype is in it, as an estimate.
        f_si_error: of F-SI, likewise.
        steps: products with the kernel that each block of columns took.
        bounded: whether the errors are bounds (of what is cut off or left over; rounding is estimated). They are
            estimates for Converged() without decay, since no product tells the smallest eigenvalue.
    """

    si: Float[np.ndarray, " n"]
    f_si: Float[np.ndarray, " n"]
    si_error: Float[np.ndarray, " n"]
    f_si_error: Float[np.ndarray, " n"]
    steps: int
    bounded: bool


def from_products(
    kernel: Any,
    validation_kernel: Any,
    residual: Any,
    *,
    outputs: int = 1,
    training: Training,
    sigma: Scalar = 1.0,
    groups: Groups | None = None,
    examples: Sequence[int] | Int[np.ndarray, " _"] | None = None,
    tolerance: float = 1e-6,
    dtype: Any = np.float64,
    block: int | None = None,
    devices: Sequence[Any] | None = None,
    budget: int | None = None,
    progress: "Progress | None" = None,
    checkpoint: str | Path | None = None,
) -> BoundedInformation:
    """What `from_kernels` gives, without an eigendecomposition: for kernels too large for one, or for some examples.

    Training for a finite time is a Chebyshev series in the kernel, t = ∞ is solved by conjugate gradients; all groups
    of a block take each step together, in one product with the kernel. docs/large-kernels.md derives it.

    Args:
        kernel: Θ (N, N): an array, a `numpy.memmap`, a kernel on disk or anything else with `shape` that gives slices
            of rows; or a function that takes columns X (N, B) to ΘX.
        validation_kernel: K* (M, N), an array or rows of one that are read when needed.
        residual: targets minus initial outputs, (N,) or (n, outputs).
        outputs: k, outputs per example.
        training: GradientDescent, GradientFlow or Converged.
        sigma: of the noise that smooths the predictions.
        groups: leave out groups instead of single examples, see `from_kernels`.
        examples: leave out only these, one at a time; None for all.
        tolerance: how far off ‖w − w_−i‖ may be, relative to the even share of an example in how far training moves
            the weights, ‖w − w₀‖/n. What rounding allows is the limit; the errors returned say what was reached.
        dtype: of products, np.float64 or np.float32.
        block: groups at once; by default up to 1024, as memory allows.
        devices: over which the kernel's rows are spread; None takes all local ones, and on a CPU one, which has all
            cores. Where the kernel does not fit on them it is streamed through the first, once for each step.
        budget: bytes of memory, over all devices, that may be used; by default 0.8 of what is free.
        progress: a `rich.progress.Progress` that gets a task counting groups.
        checkpoint: a file that keeps finished blocks, and from which an interrupted run goes on.

    Returns:
        BoundedInformation, NumPy float64 arrays with one entry for each example or group asked for.

    Warns:
        PrecisionWarning: rounding of the kernel, in its own dtype, leaves the scores too few digits.

    Raises:
        InvalidInput: as `from_kernels`; a kernel that products show not to be symmetric or positive semi-definite; for
            Converged() without decay one that is singular up to rounding; a checkpoint of other inputs.
        OverBudget: training so long that the series has millions of terms.

    >>> from infojax import Converged
    >>> kernel = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> made = from_products(kernel, kernel[:1], np.array([1.0, 0.0]), training=Converged(), examples=[1])
    >>> made.si.round(6)
    array([0.083333])
    """
    refuse_tracers("An argument", kernel, validation_kernel, residual, training, sigma)
    r = real_array("residual", residual).reshape(-1)
    check_settings(training, sigma)
    if outputs < 1:
        raise InvalidInput(f"outputs is {outputs}; a network has at least one output.")
    require_moderate("residual", r)
    sigma = float(sigma)  # products of float32 numbers would be rounded to it
    kernel, validation_kernel = _readable("kernel", kernel), _readable("validation_kernel", validation_kernel)
    n = check_shapes(None if callable(kernel) else kernel.shape, validation_kernel.shape, len(r), outputs)
    real = np.dtype(dtype)
    if real.name not in ("float64", "float32"):
        raise InvalidInput(f"dtype is {real}; products are made in float64 or float32.")
    if not 0 < tolerance < 1:
        raise InvalidInput(f"tolerance is {tolerance}; give a number between 0 and 1, such as 1e-6.")
    if block is not None and block < 1:
        raise InvalidInput(f"block is {block}; at least one group must be worked on at a time.")
    rows = _asked(groups, examples, n, outputs)
    places = list(choose_devices(devices)) or jax.local_devices()[:1]
    free = budget if budget is not None else int(0.8 * free_memory(places))
    columns = columns_at_once(len(rows.sizes), len(r), real.itemsize, free) if block is None else block
    with float64():
        products = products_with(kernel, len(r), real, places, resident=resident(len(r), columns, real.itemsize, free))
        known = spectral(products, r)
        leave_out, amplified = _prepared(
            products, known, r, rows, n, training=training, tolerance=tolerance, rounding=_rounding(kernel, real)
        )
        rounding = Rounding.of(products, kernel, validation_kernel, r, *amplified)
        norm = norm_of_rows(validation_kernel)
        blank = np.full((4, len(rows.sizes)), np.nan)
        made = Scores(blank[0], blank[1], blank[2], blank[3], 0)
        mark = "" if checkpoint is None else _mark(kernel, products, validation_kernel, r, rows, tolerance, training)
        if checkpoint is not None and (kept := checkpoints.read(Path(checkpoint), mark)) is not None:
            made = Scores(**kept | {"steps": int(kept["steps"])})  # pyright: ignore[reportArgumentType]
        task = None if progress is None else progress.add_task("leave-one-out by products", total=len(rows.sizes))
        size = min(columns, len(rows.sizes))
        while len(missing := np.flatnonzero(np.isnan(made.si))):
            if progress is not None and task is not None:
                progress.update(task, completed=len(rows.sizes) - len(missing))
            # One size for all blocks, so that one compiled program serves them.
            now = np.resize(missing[:size], size)
            left = np.zeros((len(r), size), bool)
            for column, group in enumerate(now):
                left[rows.indices[group][rows.present[group]], column] = True
            change, steps = leave_out(left, now)
            change = rounding.added(change, norm)
            scored = scores(
                products, change, validation_kernel, norm, sigma**2 * (validation_kernel.shape[0] // outputs)
            )
            for array, values in zip(made[:4], scored, strict=True):
                array[now] = values
            made = made._replace(steps=max(made.steps, steps))
            if checkpoint is not None:
                checkpoints.write(Path(checkpoint), mark, {k: np.asarray(v) for k, v in made._asdict().items()})
        if progress is not None and task is not None:
            progress.update(task, completed=len(rows.sizes))
    condition = amplified[0] ** 2 * known.above
    error = max(relative_error(*pair) for pair in ((made.si, made.si_error), (made.f_si, made.f_si_error)))
    # What the tolerance leaves is asked for; what rounding leaves is not.
    if rounding.noise * condition > HARMLESS:
        warn_of_lost_digits("Unique information", error, rounding.noise, condition)
    return BoundedInformation(*made, bounded=not isinstance(training, Converged) or bool(training.decay > 0))


def _readable(name: str, kernel: Any) -> Any:
    """What is a function, or can be read in parts, as it is; lists and masked arrays at once."""
    whole = isinstance(kernel, np.ma.MaskedArray) or not (callable(kernel) or hasattr(kernel, "shape"))
    return array_of_reals(name, kernel) if whole else kernel


def _asked(groups: Groups | None, examples: Any, n: int, outputs: int) -> Rows:
    if examples is None:
        return rows_of_groups(groups, n, outputs)
    if groups is not None:
        raise InvalidInput("groups and examples are both given; groups are left out whole, examples one at a time.")
    chosen = plain_array("examples", examples)
    if chosen.ndim != 1 or not np.issubdtype(chosen.dtype, np.integer) or len(chosen) == 0:
        raise InvalidInput(
            f"examples has shape {chosen.shape} and dtype {chosen.dtype}; give example numbers, one or more."
        )
    return rows_of_groups(list(chosen[:, None].astype(np.int64)), n, outputs)


def _prepared(
    products: Products,
    known: Spectral,
    r: np.ndarray,
    rows: Rows,
    n: int,
    *,
    training: Training,
    tolerance: float,
    rounding: float,
) -> tuple[Callable[[np.ndarray, np.ndarray], tuple[Change, int]], tuple[float, float]]:
    """What leaves out the rows that columns of a mask name, of groups with these numbers; the largest √z φ(z), and the
    length of the coefficients with all examples.
    """
    sizes, which = np.unique(rows.sizes, return_inverse=True)
    problems = [as_sum(training, n - int(size)) for size in (0, *sizes)]
    run = as_float64(problems[0])
    nodes = np.maximum(known.nodes, 0.0)
    filtered = np.asarray(training_filter(run, jnp.asarray(nodes)))
    moved = np.sqrt(known.weights @ (nodes * filtered**2))
    length = float(np.sqrt(known.weights @ filtered**2))
    error = tolerance * float(moved) / n
    if isinstance(training, Converged):
        shifts = np.array([float(problem.decay) for problem in problems])
        shifts = shifts[:1] if (shifts == shifts[0]).all() else shifts
        trained = train_to_convergence(products, known, r, shifts, error=error, rounding=rounding)
        least = float(trained.smallest.min())
        amplified = largest_of_root(run, least, known.above), moved / max(least, 1e-300) ** 0.5
        return lambda left, now: without_each_converged(
            products, trained, left, which[now], largest=known.above
        ), amplified
    above = _stable(known, problems) if isinstance(training, GradientDescent) else known.above
    series = [chebyshev_series(problem, above) for problem in problems if not isinstance(problem, Converged)]
    least = error / (4 * np.sqrt(above) * max(float(np.linalg.norm(r)), 1e-300))
    last = max(terms_needed(each, least) for each in series)
    filters = Filters(series[0], tuple(series[1:]), last, above)
    amplified = largest_of_root(run, 1e-15 * above, above), length
    return lambda left, now: (without_each(products, filters, r, left, which[now]), last), amplified


def _stable(known: Spectral, problems: list) -> float:
    """An upper bound of the largest eigenvalue at which descent is stable; InvalidInput where there is none."""
    for above in (known.above, known.near):
        product = max(float(run.learning_rate * (above + run.decay)) for run in problems)
        if product < 2:
            return above
    raise InvalidInput(
        f"Gradient descent diverges: η s_max = {product:.4g}, where s_max is the largest eigenvalue of the kernel plus "
        f"decay. Multiply the learning rate by less than {2 / product:.4g}."
    )


def _rounding(kernel: Any, dtype: np.dtype) -> float:
    given = np.dtype(getattr(kernel, "dtype", dtype))
    return max([1e-12, *(float(np.finfo(kind).eps) for kind in (given, dtype) if kind.kind == "f")])


def _mark(kernel, products: Products, cross, r, rows: Rows, tolerance: float, training: Training) -> str:
    """Of what decides the scores; of the kernel some rows, since all of it may be terabytes."""
    some = np.unique(np.linspace(0, len(r) - 1, 8).astype(int))
    if callable(kernel):
        units = np.zeros((len(r), len(some)))
        units[some, np.arange(len(some))] = 1
        sample = products.of(units)
    else:
        sample = np.stack([np.asarray(kernel[i : i + 1])[0] for i in some])
    few = np.unique(np.linspace(0, cross.shape[0] - 1, 8).astype(int))
    crossed = np.stack([np.asarray(cross[i : i + 1])[0] for i in few])
    settings = repr((training, tolerance, products.dtype, cross.shape))
    return checkpoints.fingerprint(sample, crossed, r, rows.indices, rows.present, settings)
