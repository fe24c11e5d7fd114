"""Public functions given one or two bad arguments: an answer without NaN, or a refusal that says what is wrong.

Functions in SLOW are left out: XLA compiles for seconds with each new shape or setting of theirs.
"""

import os
import traceback
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from infojax.errors import InfojaxError
from tests.fuzzing import calls
from tests.fuzzing.damage import OUTCOMES
from tests.fuzzing.hostile import instead_of, of_another_type

EXAMPLES = int(os.environ.get("INFOJAX_FUZZ", "10"))
CALLS = calls.laws() | calls.of_kernels() | calls.of_networks() | calls.of_generation()
# Each has programs of its own for many of its settings, and XLA takes seconds for one.
SLOW = {
    "practice_law",
    "two_stage_law",
    "relabelling_law",
    "sample",
    "sample_by_smc",
    "plug_in",
    "ddim",
    "exact_tilt",
    "soft",
}
SLOW |= {"train_denoiser", "retrain_without_each", "unique_information of", "pgd", "anisotropic_law"}
SLOW |= {"perceptron_law"}
# XLA ends the process where an array of terabytes is asked for: how wide a network may be is the memory's affair.
SLOW |= {"mlp"}


def tried(name: str, arguments: dict[str, Any], nan: bool = False) -> Any:
    """The answer; None for a refusal. Fails for anything that is no refusal, and for NaN that was not put in."""
    call = CALLS[name]
    try:
        answer = call.function(**call.good | arguments)
    except (InfojaxError, TypeCheckError) as refusal:
        OUTCOMES[type(refusal).__name__] += 1
        return None
    except TypeError as error:
        # A signature that does not take it, or a line of infojax that says so; not one inside of JAX or NumPy.
        refused = error
    else:
        refused = None
    if refused is not None:
        assert "/infojax/" in traceback.extract_tb(refused.__traceback__)[-1].filename, repr(refused)
        OUTCOMES["TypeError"] += 1
        return None
    OUTCOMES["answered"] += 1
    for leaf in jax.tree.leaves(answer):
        if isinstance(leaf, float | np.ndarray | jax.Array) and np.asarray(leaf).dtype.kind == "f":
            assert nan or not np.isnan(np.asarray(leaf)).any(), f"NaN in the answer {answer}"
    return answer


@pytest.mark.parametrize("name", sorted(CALLS.keys() - SLOW))
def test_good_arguments_are_answered(name):
    assert tried(name, {}) is not None  # else the others say nothing


@pytest.mark.parametrize("name", sorted(CALLS.keys() - SLOW))
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_bad_arguments(name, data):
    call = CALLS[name]
    names = data.draw(st.lists(st.sampled_from(call.names()), min_size=1, max_size=2, unique=True))
    bad = {}
    for argument in names:
        good = call.good[argument]
        values = [*instead_of(good), *of_another_type(good)]
        bad[argument] = values[data.draw(st.integers(0, len(values) - 1))]
    tried(name, bad, nan=any(_has_nan(value) for value in bad.values()))


def _has_nan(value: Any) -> bool:
    return isinstance(value, float | np.ndarray) and np.asarray(value).dtype.kind == "f" and np.isnan(value).any()
