"""Learning curves of kernel regression on selected data: does pruning move the exponent, or only the constant?

Kernel ridge regression with a neural tangent kernel learns from the part of a pool that a rule keeps, and is tested on
all kinds of examples. The rules: at random; nearest to, or farthest from, the decision boundary of a probe trained on
other data; most, or least, functional information (F-SI) in the pool. The training set grows in two ways: "drawn",
random parts of what is kept of the largest pool, for which there is a law; and "grown", all that is kept of pools
of growing size. Power laws are fitted with confidence intervals over splits of the data.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import polars as pl
from jaxtyping import Float, Int
from rich.progress import Progress
from threadpoolctl import threadpool_limits

from infojax.data import Dataset, load
from infojax.errors import InvalidInput
from infojax.files import partial_work as partial_work
from infojax.information import from_kernels
from infojax.kernels import empirical_ntk, infinite_width
from infojax.linearized import Converged
from infojax.models import Network, from_stax
from infojax.scaling import (
    Interval,
    PowerLaw,
    fit_power_law,
    interval,
    kernel_curve,
    pointwise_kernel_curve,
    simulate_kernel_curve,
)

KERNELS = ("infinite", "empirical")
RULES = ("random", "hard", "easy", "most", "least")
QUANTITIES = ("mse", "error")
WAYS = ("drawn", "grown")
LAWS = {"spectral": kernel_curve, "pointwise": pointwise_kernel_curve}
Kernel = Float[np.ndarray, "n n"]
Index = Int[np.ndarray, " examples"]


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"  # odd against even digits, targets ±1
    pool: int = 700  # examples that rules choose from
    probe: int = 250  # other examples, on which the probe is trained and F-SI is measured (without labels)
    test: int = 600  # others again
    kept: tuple[float, ...] = (0.2, 0.5)  # fractions of the pool
    smallest: int = 80  # examples of the smallest pool
    sizes: int = 6  # of pools, up to the whole one, equally spaced in log n
    ridge: float = 1e-3  # on the kernel's diagonal, relative to its mean
    width: int = 512  # hidden units of the empirical kernel
    draws: int = 6  # training sets of each size from each selection
    splits: int = 8  # of the data, at least 4: disjoint where there is enough, otherwise drawn anew
    pointwise_below: int = 200  # the pointwise law is computed for selections smaller than this
    held_out: float = 0.5  # of the range of log n, from which laws are extrapolated to the largest n
    bootstrap: int = 300  # resampled curves for each fit
    seed: int = 0


PRESETS = {
    "quick": Config(),
    # Eight splits that have no example in common.
    "paper": Config(
        dataset="mnist",
        pool=2000,
        probe=1000,
        test=2000,
        draws=8,
        smallest=160,
        sizes=8,
        width=1024,
        pointwise_below=1000,
        bootstrap=2000,
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables: `curves` (kernel, kept, rule, way, split, n), a row for each training size, with the laws of the drawn;
    `fits` (kernel, kept, quantity, way, rule, floor_fitted); `held_out` (the same without floor_fitted).
    """
    data = load(config.dataset)
    _check(config, len(data))
    network = _network(config.width)
    # Where splits share examples, they share this kernel too.
    shared = None if _disjoint(config, len(data)) else np.asarray(infinite_width(network, data.x))
    curves = []
    # The kernels of a few thousand examples do not repay OpenBLAS's threads, which wait for each other.
    with threadpool_limits(1, user_api="blas"):
        for split in progress.track(range(config.splits), description="splits"):
            file, what = scratch / f"split-{split}.parquet", f"{config!r}, split {split}"
            curves.append(partial_work.kept(file, what, _split, config, data, network, shared, split))
        table = pl.concat(curves)
        missing = {f"{quantity}_{law}" for quantity in QUANTITIES for law in LAWS} - set(table.columns)
        table = table.with_columns(pl.lit(None, pl.Float64).alias(column) for column in sorted(missing))
        return {"curves": table, **_fits(config, table)}


def _check(config: Config, n: int) -> None:
    parts = (config.pool, config.probe, config.test)
    if min(parts) < 2 or sum(parts) > n or config.splits < 4:
        raise InvalidInput(
            f"pool, probe and test are {parts} of {n} examples, in {config.splits} splits; give at least 2 examples of "
            "each, no more than there are, and at least 4 splits"
        )
    if config.sizes < 4 or min(config.kept) * config.smallest < 2 or config.smallest >= config.pool:
        raise InvalidInput(
            f"sizes is {config.sizes}, smallest {config.smallest} of which {min(config.kept)} are kept; give at least "
            "4 sizes, and a smallest pool of which 2 examples are kept, below the whole pool"
        )


def _split(config: Config, data: Dataset, network: Network, shared: Kernel | None, split: int) -> pl.DataFrame:
    examples = np.concatenate(_parts(config, len(data), split))
    x, y = data.x[examples], np.where(data.y[examples] % 2 == 1, 1.0, -1.0)
    pool, probe, test = np.split(np.arange(len(examples)), np.cumsum([config.pool, config.probe]))
    key = jax.random.fold_in(jax.random.key(config.seed), split)
    kernels = {
        "infinite": infinite_width(network, x) if shared is None else shared[np.ix_(examples, examples)],
        "empirical": np.asarray(empirical_ntk(network, network.init(key, x.shape[1:]), x), np.float64),
    }
    pools = np.rint(np.geomspace(config.smallest, config.pool, config.sizes)).astype(np.int64)
    rows = []
    for name, kernel in kernels.items():
        ridge = config.ridge * float(np.diag(kernel)[pool].mean())
        random = np.random.default_rng([config.seed, split])
        rankings = [_rankings(kernel, y, pool[:size], probe, ridge, random) for size in pools]
        for kept, rule in itertools.product(config.kept, RULES):
            counts = np.rint(kept * pools).astype(np.int64)
            grown = [ranking[rule][:count] for ranking, count in zip(rankings, counts, strict=True)]
            where = {"kernel": name, "kept": kept, "rule": rule, "split": split}
            rows += [
                _rows(where | {"way": "drawn"}, _drawn(config, kernel, y, grown[-1], test, counts, ridge, key)),
                _rows(where | {"way": "grown"}, _grown(kernel, y, grown, test, ridge)),
            ]
    return pl.concat(rows, how="diagonal")


def _rows(where: dict, columns: dict[str, np.ndarray]) -> pl.DataFrame:
    return pl.DataFrame(columns).select(*(pl.lit(value).alias(name) for name, value in where.items()), pl.all())


def _drawn(
    config: Config, kernel: Kernel, y: np.ndarray, chosen: Index, test: Index, counts: Index, ridge: float, key
) -> dict[str, np.ndarray]:
    """Mean errors of random training sets from the chosen examples, and what the laws say of them."""
    problem = (kernel[np.ix_(chosen, chosen)], kernel[np.ix_(test, chosen)], y[chosen], y[test])
    key = jax.random.fold_in(key, len(chosen))
    measured = simulate_kernel_curve(*problem, sizes=counts, ridge=ridge, repeats=config.draws, key=key)
    columns = {"n": counts, "mse": measured.mean.mse, "error": measured.mean.error}
    for law, curve in LAWS.items():
        if law == "spectral" or len(chosen) < config.pointwise_below:
            said = curve(*problem, sizes=counts, ridge=ridge)
            columns |= {f"mse_{law}": said.mse, f"error_{law}": said.error}
    return columns


def _grown(kernel: Kernel, y: np.ndarray, grown: list[Index], test: Index, ridge: float) -> dict[str, np.ndarray]:
    """Errors of regression on all that is kept of each pool."""
    found = []
    for chosen in grown:
        weights = np.linalg.solve(kernel[np.ix_(chosen, chosen)] + ridge * np.eye(len(chosen)), y[chosen])
        predicted = kernel[np.ix_(test, chosen)] @ weights
        found.append((np.mean((predicted - y[test]) ** 2), np.mean((predicted > 0) != (y[test] > 0))))
    return {"n": np.array([len(chosen) for chosen in grown]), **dict(zip(QUANTITIES, np.array(found).T, strict=True))}


def _disjoint(config: Config, n: int) -> bool:
    return config.splits * (config.pool + config.probe + config.test) <= n


def _parts(config: Config, n: int, split: int) -> list[Int[np.ndarray, " part"]]:
    """Pool, probe and test examples of one split."""
    parts = np.array([config.pool, config.probe, config.test])
    disjoint = _disjoint(config, n)
    order = np.random.default_rng([config.seed] if disjoint else [config.seed, split]).permutation(n)
    start = split * parts.sum() if disjoint else 0
    return np.split(order[start : start + parts.sum()], np.cumsum(parts)[:-1])


def _network(width: int) -> Network:
    from infojax.models import stax

    hidden = (stax.Dense(width, W_std=2**0.5, b_std=0.1), stax.Relu())
    return from_stax(stax.serial(stax.Flatten(), *hidden, stax.Dense(1, W_std=1.0, b_std=0.1)))


def _rankings(
    kernel: Kernel, y: np.ndarray, pool: Index, probe: Index, ridge: float, random: np.random.Generator
) -> dict[str, Index]:
    """The pool in the order in which each rule takes from it."""
    own = kernel[np.ix_(probe, probe)] + ridge * np.eye(len(probe))
    margin = np.abs(kernel[np.ix_(pool, probe)] @ np.linalg.solve(own, y[probe]))
    information = from_kernels(
        kernel[np.ix_(pool, pool)], kernel[np.ix_(probe, pool)], y[pool],
        training=Converged(decay=ridge, convention="sum"),
    ).f_si  # fmt: skip
    orders = (random.permutation(len(pool)), np.argsort(margin), np.argsort(-margin), np.argsort(-information),
              np.argsort(information))  # fmt: skip
    return {rule: pool[order] for rule, order in zip(RULES, orders, strict=True)}


def _fits(config: Config, curves: pl.DataFrame) -> dict[str, pl.DataFrame]:
    fits, held_out = [], []
    for kernel, kept, quantity, way in itertools.product(KERNELS, config.kept, QUANTITIES, WAYS):
        where = {"kernel": kernel, "kept": kept, "quantity": quantity, "way": way}
        measured = {
            rule: _by_split(curves.filter(kernel=kernel, kept=kept, way=way, rule=rule), quantity) for rule in RULES
        }
        for floor in (0.0, None):
            laws = {rule: _fit(config, *of, floor) for rule, of in measured.items()}
            fits += [
                where | {"rule": rule, "floor_fitted": floor is None} | _law(law) | _steeper(law, laws["random"])
                | _ratio(config, measured[rule], measured["random"])
                for rule, law in laws.items()
            ]  # fmt: skip
        held_out += [where | {"rule": rule} | _extrapolated(config, *of) for rule, of in measured.items()]
    return {"fits": pl.DataFrame(fits), "held_out": pl.DataFrame(held_out)}


def _by_split(curves: pl.DataFrame, quantity: str) -> tuple[np.ndarray, np.ndarray]:
    """n (sizes,) and the measured quantity (splits, sizes)."""
    n = curves["n"].unique().sort().to_numpy()
    return n, curves.sort("split", "n")[quantity].to_numpy().reshape(-1, len(n))


def _fit(config: Config, n: np.ndarray, errors: np.ndarray, floor: float | None) -> PowerLaw:
    return fit_power_law(n, errors, floor=floor, draws=config.bootstrap, seed=config.seed)


def _law(law: PowerLaw) -> dict[str, float]:
    intervals = {"exponent": law.exponent, "scale": law.scale, "floor": law.floor}
    return {k: v for name, value in intervals.items() for k, v in _interval(name, value).items()} | {
        "misfit": law.misfit
    }


def _steeper(law: PowerLaw, random: PowerLaw) -> dict[str, float]:
    """The exponent minus that of random selection: paired, as both are measured on the same splits."""
    difference = law.exponent.estimate - random.exponent.estimate
    samples = law.samples[:, 0] - random.samples[:, 0]
    return _interval("steeper", interval(difference, samples, law.level, law.repeats))


def _ratio(config: Config, measured: tuple, random: tuple) -> dict[str, float]:
    """Measured errors over those of random selection at the largest n."""
    n, errors = measured
    both = np.stack([errors[:, -1], random[1][:, -1]], 1)  # (splits, 2)
    drawn = np.random.default_rng(config.seed).integers(len(both), size=(config.bootstrap, len(both)))
    (one, other), samples = both.mean(0), both[drawn].mean(1)
    ratio = interval(one / other, samples[:, 0] / samples[:, 1], 0.95, len(both))
    return _interval("ratio", ratio) | {"n": int(n[-1]), "measured": float(one)}


def _interval(name: str, value: Interval) -> dict[str, float]:
    return {f"{name}{end}": float(number) for end, number in zip(("", "_low", "_high"), value, strict=True)}


def _extrapolated(config: Config, n: np.ndarray, errors: np.ndarray) -> dict[str, float]:
    """The floor-free law of the smaller training sets, held against the largest one."""
    position = np.log(n / n[0]) / np.log(n[-1] / n[0])
    few = max(int(np.sum(position <= config.held_out + 1e-9)), 3)
    law = _fit(config, n[:few], errors[:, :few], 0.0)
    stderr = errors[:, -1].std(ddof=1) / np.sqrt(len(errors))
    found = {
        "fitted_to": int(n[few - 1]),
        "n": int(n[-1]),
        "measured": float(errors[:, -1].mean()),
        "stderr": float(stderr),
    }
    return found | _interval("predicted", law.at(float(n[-1])))
