"""Text from outside on a terminal: shown, and never obeyed.

Configs, tracebacks of failures, classes and file names may come from others, and terminals take some characters for
commands: to move, to clear, to paste, to write from right to left. These are shown as Python writes them.
"""

import re
from collections.abc import Iterable
from typing import Any

from rich import console as rich_console
from rich.segment import Segment

# Control characters but tab and newline; what turns, parts or marks lines; halves of pairs, which cannot be printed.
_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)


def shown(text: str) -> str:
    r"""The text, with what a terminal would obey in Python's words for it.

    >>> print(shown("name\x1b]0;owned\x07"), shown("naïve\n"), end="")
    name\x1b]0;owned\x07 naïve
    """
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def shown_json(text: str) -> str:
    r"""As `shown`, in JSON's words, for what is JSON: `"\u009b"`."""
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Console(rich_console.Console):
    """Rich's console, which shows text from outside as `shown` does; styles of its own are as ever."""

    def render_str(self, text: str, **options: Any) -> Any:
        # Before it is laid out, so that columns stay in line.
        return super().render_str(shown(text), **options)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        # Whatever came in another way.
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(shown(segment.text), segment.style)
