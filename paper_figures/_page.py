"""The page of figures while they are drawn, one after the other."""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.progress import Progress, TaskID

from infojax.cli import complain
from infojax.files import shown, write_whole
from infojax.plots import Entry, page

from ._drawing import Step


@dataclass
class Page:
    """What the page says of every figure by now.

    Attributes:
        index: the file.
        scale: of the presets that are drawn.
        entries: by name, in the order of the page.
    """

    index: Path
    scale: str
    entries: dict[str, Entry]

    @property
    def drawn(self) -> int:
        """How many figures are there."""
        return sum(entry.png is not None for entry in self.entries.values())

    def write(self) -> None:
        """Replace the file."""
        write_whole(self.index, page("infojax: figures", self._summary(), list(self.entries.values())).encode())

    def close(self) -> None:
        """Figures that are still awaited will not come."""
        self.entries = {name: replace(entry, awaited=False) for name, entry in self.entries.items()}
        self.write()

    def _summary(self) -> str:
        sizes = "small enough for a laptop" if self.scale == "quick" else "those of the papers"
        awaited = sum(entry.awaited for entry in self.entries.values())
        coming = f" {awaited} more are being drawn; this page shows them as they come." if awaited else ""
        return (
            f"{self.drawn} of {len(self.entries)} figures, drawn from stored results at scale “{self.scale}”: problem "
            f"sizes are {sizes}.{coming} Each figure stands beside the numbers of the paper that it answers, with what "
            "differs and why, and with the record of how its result was computed. Error bars are one standard error; "
            "each figure says over what."
        )


@dataclass(frozen=True)
class Screen:
    """What is said on stderr: how far each experiment is, and each figure that is there.

    Attributes:
        progress: shows bars on a terminal, and prints lines elsewhere.
        asked: the figures that are counted.
        experiments: the experiment of each figure.
        rows: experiment → its row of the progress.
    """

    progress: Progress
    asked: Collection[str]
    experiments: Mapping[str, str]
    rows: dict[str, TaskID] = field(default_factory=dict)

    def step(self, step: Step) -> None:
        """Show how far an experiment is."""
        if step.experiment not in self.rows:
            self.rows[step.experiment] = self.progress.add_task(step.experiment, total=None)
        row, words = self.rows[step.experiment], f"{step.experiment}: {step.words}"
        self.progress.update(row, description=words, completed=step.done, total=step.total)

    def figure(self, entry: Entry) -> None:
        """Say that a figure has come, or that it will not."""
        row = self.rows.pop(self.experiments.get(entry.name, ""), None)
        if row is not None:
            self.progress.remove_task(row)
        if entry.name in self.asked:
            self._count(entry)
        if entry.trace:
            sys.stderr.write(shown(entry.trace))
        elif entry.missing:
            complain(f"{entry.name}: {entry.missing}")

    def _count(self, entry: Entry) -> None:
        whole = self.progress.tasks[0]
        self.progress.advance(whole.id)
        if self.progress.disable:
            # In a log file, the last line says where a run that was ended stood.
            words = f"{entry.name} {'not ' if entry.missing else ''}drawn, {whole.completed:.0f} of {len(self.asked)}"
            print(words, file=sys.stderr, flush=True)
