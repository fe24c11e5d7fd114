from dataclasses import replace

import numpy as np
import pytest

from experiments.scaling_laws.kernel_learning_curves import PRESETS, RULES, _parts, run
from infojax.errors import InvalidInput

SMALL = replace(
    PRESETS["quick"],
    pool=80,
    probe=50,
    test=60,
    kept=(0.5,),
    smallest=40,
    sizes=4,
    width=32,
    draws=3,
    splits=4,
    bootstrap=100,
)


class Silent:
    """Shows no progress."""

    def track(self, things, **_):
        return things


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return run(SMALL, tmp_path_factory.mktemp("scratch"), Silent())


def test_all_that_is_kept_is_the_same_however_it_grew(tables):
    """At the whole pool the last training set is the whole selection, both ways, and the law says so exactly."""
    last = tables["curves"].filter(n=40).sort("kernel", "rule", "split")
    drawn, grown = last.filter(way="drawn"), last.filter(way="grown")
    assert len(drawn) == len(grown) == 2 * len(RULES) * SMALL.splits
    np.testing.assert_allclose(drawn["mse"], grown["mse"], rtol=1e-8)
    for law in ("spectral", "pointwise"):
        np.testing.assert_allclose(drawn[f"mse_{law}"], drawn["mse"], rtol=1e-8)
        np.testing.assert_allclose(drawn[f"error_{law}"], drawn["error"], rtol=1e-8)
    assert not tables["curves"].filter(way="drawn").null_count().pipe(lambda counts: sum(counts.row(0)))


def test_differences_from_random_are_paired(tables):
    random = tables["fits"].filter(rule="random")
    for name, value in (("steeper", 0.0), ("ratio", 1.0)):
        for end in ("", "_low", "_high"):
            np.testing.assert_allclose(random[f"{name}{end}"], value, atol=1e-12)
    assert (tables["fits"]["exponent_low"] <= tables["fits"]["exponent_high"]).all()
    assert (tables["held_out"]["fitted_to"] < tables["held_out"]["n"]).all()


def test_splits_are_disjoint_where_there_is_enough():
    seen = np.concatenate([np.concatenate(_parts(SMALL, 2000, split)) for split in range(SMALL.splits)])
    assert len(np.unique(seen)) == len(seen) == 4 * 190
    for split in range(SMALL.splits):
        few = np.concatenate(_parts(SMALL, 300, split))
        assert len(np.unique(few)) == len(few) == 190


@pytest.mark.parametrize(
    ("change", "says"),
    [({"pool": 1700}, "no more than there are"), ({"splits": 3}, "4 splits"), ({"sizes": 3}, "4 sizes")],
)
def test_what_cannot_be_run_is_refused(change, says, tmp_path):
    with pytest.raises(InvalidInput, match=says):
        run(replace(SMALL, **change), tmp_path, Silent())
