"""How long to look for faults: INFOJAX_FUZZ=1000 tries as many inputs in each test, other ones each time."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.fuzzing.damage import OUTCOMES

if "INFOJAX_FUZZ" in os.environ:
    settings.register_profile(
        "fuzz",
        deadline=None,
        max_examples=int(os.environ["INFOJAX_FUZZ"]),
        derandomize=False,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("fuzz")


@pytest.fixture
def little_memory() -> Iterator[None]:
    """A process that may take half a GiB more than it has: what believes a file's promises fails."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**29, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What became of the inputs that were tried."""
    if OUTCOMES:
        terminalreporter.write_line(f"fuzzing: {OUTCOMES.total()} inputs, {dict(OUTCOMES)}")
