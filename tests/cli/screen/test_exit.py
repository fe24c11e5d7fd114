import warnings

import pytest

from infojax.cli.screen.exit import exit_code
from infojax.errors import DataWarning, PrecisionWarning


@pytest.mark.parametrize("category", [DataWarning, PrecisionWarning])
def test_own_warnings_are_shown_a_line_each_every_time(category: type[Warning], capsys: pytest.CaptureFixture) -> None:
    def command() -> None:
        for _ in range(2):
            warnings.warn("3 files were left out", category, stacklevel=2)

    assert exit_code(command) == 0
    assert capsys.readouterr().err == "warning: 3 files were left out\n" * 2


def test_other_warnings_go_where_they_went() -> None:
    with pytest.warns(DeprecationWarning, match="old"):
        exit_code(lambda: warnings.warn("old", DeprecationWarning, stacklevel=2))
