import math

import pytest

from infojax.errors import InvalidInput
from infojax.generation.practice.policy import Policy, prune


def test_fewer_generated_than_kept_is_refused():
    for ratio in (0.5, math.inf, math.nan):
        with pytest.raises(InvalidInput, match="over_sampling"):
            prune(ratio)
    assert prune(3.0) == Policy("prune", over_sampling=3.0)
