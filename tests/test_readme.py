"""The README's examples work as printed, or stand in the list of those that are not run, with the reason."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_every_block_is_of_a_language_that_is_run():
    assert set(re.findall(r"^```(\w+)$", TEXT, re.MULTILINE)) == {"python", "sh"}


def test_example_as_printed():
    (block,) = blocks("python")
    namespace: dict = {}
    exec(compile(block, README.name, "exec"), namespace)
    assert namespace["scores"].si.shape == namespace["scores"].f_si.shape == (len(namespace["train"]),)
    assert np.all(namespace["scores"].f_si > 0)
    law, check = namespace["law"], namespace["check"]
    assert abs(law.error - check.mean.error) < max(4 * check.stderr.error, 0.05 * law.error)


SMALL = ("--train", "40", "--validation", "20", "--hidden", "16")
# What is added to a command for it to take seconds.
ADDED = {
    "infojax score": SMALL,
    "infojax curve --preset": ("--simulate", "2", "--repeats", "2", "--dimension", "20"),
}
NOT_RUN = {
    "make figures": "it takes ten minutes, and is what CI runs",
    "make test": "it is this",
    "python -m paper_figures": "hours at the scale of the papers",
}


def commands() -> list[str]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [re.sub(r"\s+# .*", "", line) for line in lines if line.strip()]


def test_commands_as_printed(tmp_path):
    """In their order, in one folder, as later ones read what earlier ones write."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    run = [command for command in commands() if not command.startswith(tuple(NOT_RUN))]
    assert len(run) >= 10
    for command in run:
        added = next((more for start, more in ADDED.items() if command.startswith(start)), ())
        program, *words = shlex.split(command)
        start = ["-m", "infojax"] if program == "infojax" else []
        assert program in ("infojax", "python"), command
        done = subprocess.run(
            [sys.executable, *start, *words, *added], cwd=tmp_path, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert (tmp_path / "laws.parquet").exists()
    assert (tmp_path / "scores" / "groups.parquet").exists()


def test_what_is_not_run_is_there():
    for start in NOT_RUN:
        assert any(command.startswith(start) for command in commands()), start


def test_versions_of_jax_are_those_of_the_pins():
    pins = set(re.findall(r"^jax==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"JAX (\d+\.\d+\.\d+)|jax(?:\[\w+\])?==(\d+\.\d+\.\d+)", TEXT))
    assert {version for pair in named for version in pair if version} <= pins
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name in ("jax", "jaxlib"):
        (asked,) = [line for line in project["dependencies"] if re.match(rf"{name}\W", line)]
        above = re.search(r"<(\d+)\.(\d+)$", asked)
        assert above, f"{asked} has no upper bound"
        newest = max(tuple(map(int, pin.split("."))) for pin in pins)
        assert newest < tuple(map(int, above.groups())) <= (newest[0], newest[1] + 1)
