"""Progress bars for people, nothing for log files."""

from rich.progress import Progress

from infojax.terminal import Console


def progress_on_terminal() -> Progress:
    """Progress bars on stderr that vanish when done; silent where stderr is no terminal."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)
