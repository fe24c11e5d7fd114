"""The README's Python example works as printed."""

import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).parents[1] / "README.md"


def example() -> str:
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return block


def run(code: str) -> dict:
    namespace: dict = {}
    exec(compile(code, README.name, "exec"), namespace)
    assert namespace["scores"].weights.shape == namespace["scores"].functional.shape == (len(namespace["train"]),)
    assert np.all(namespace["scores"].functional > 0)
    law, check = namespace["law"], namespace["check"]
    assert abs(law.error - check.error) < max(4 * check.error_stderr, 0.05 * law.error)
    return namespace


@pytest.mark.fetched("mnist")
def test_example_as_printed():
    assert len(run(example())["train"]) == 1000


def test_example_on_digits():
    code = example().replace('"mnist"', '"digits"').replace("split(1000, 1000", "split(150, 150")
    assert len(run(code)["train"]) == 150
