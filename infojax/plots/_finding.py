"""What a figure shows, as statements that its table decides."""

from dataclasses import dataclass
from html import escape

import numpy as np

from infojax.errors import InvalidInput


@dataclass(frozen=True)
class Finding:
    """A statement about a result, whether it holds, and the number that says so.

    Attributes:
        text: a sentence that may be true or false.
        holds: whether it is true of the table that was drawn.
        figure: the number, or a few, that decide, with their errors.

    Raises:
        InvalidInput: `text` or `figure` is empty.

    >>> error, chance = 0.21, 0.5
    >>> Finding("The learner is right more often than by chance.", error < chance, f"{error} against {chance}").holds
    True
    """

    text: str
    holds: bool | np.bool_
    figure: str

    def __post_init__(self) -> None:
        if not self.text or not self.figure:
            raise InvalidInput("a finding has a text, and the number that decides it; one of them is empty")


def listed(findings: tuple[Finding, ...]) -> str:
    """The HTML of a list of findings; those that do not hold are marked."""
    rows = "".join(
        f"<li>{escape(finding.text)} <span>{escape(finding.figure)}</span></li>\n"
        if finding.holds
        else f'<li class="failed"><strong>Does not hold here:</strong> {escape(finding.text)} '
        f"<span>{escape(finding.figure)}</span></li>\n"
        for finding in findings
    )
    return f'<ul class="findings">\n{rows}</ul>'
