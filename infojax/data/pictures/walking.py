"""The pictures below a folder, and what lies there that is none of the user's pictures: hidden and tool-made folders,
what infojax wrote, files that are not read, links that lead back or nowhere."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from infojax.data._names import readable
from infojax.data.pictures.opening import format_of, formats, names_of_formats, suffix_of
from infojax.errors import InvalidInput

# Folders that tools and systems leave among pictures; so are all whose name begins with a dot.
_TOOLS = {
    "__macosx",
    "__pycache__",
    "@eadir",
    "@recycle",
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "node_modules",
    "lightning_logs",
    "mlruns",
    "wandb",
}
# Files that hold settings of a file browser, and that nobody misses.
_LITTER = {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "icon\r"}
# What `infojax curve` writes of one name; figures of papers come without .parquet.
_OF_FIGURES = (".csv", ".parquet", ".pdf", ".png")
SHOWN = 8
_RECORD = 2**20


@dataclass
class LeftOut:
    """What was left out below a folder.

    Attributes:
        hidden: hidden and tool-made folders, and hidden pictures, by name → the pictures in them.
        unread: suffix → files that are not read.
        own: folders and figures that infojax wrote, relative to the folder.
        back: links to folders that are read under their own name.
        nowhere: links that lead nowhere, and what is neither file nor folder.
        beside: pictures beside the folders of classes.
        empty: folders where a class would be, without pictures.
    """

    hidden: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    own: list[str] = field(default_factory=list)
    back: int = 0
    nowhere: int = 0
    beside: int = 0
    empty: list[str] = field(default_factory=list)

    def messages(self, folder: Path) -> list[str]:
        """One sentence that counts all that was left out; none where nothing was."""
        said = []
        if self.hidden:
            number = sum(self.hidden.values())
            said.append(f"{_count(number, 'picture')} in hidden and tool-made places ({_listed(self.hidden)})")
        if self.unread:
            counts = sorted(self.unread.items(), key=lambda each: (-each[1], each[0]))
            suffixes = ", ".join(f"{suffix} ({count:,})" for suffix, count in counts[:SHOWN])
            more = f" and {len(self.unread) - SHOWN} more suffixes" if len(self.unread) > SHOWN else ""
            number = sum(self.unread.values())
            said.append(
                f"{_count(number, 'file')} that {'is' if number == 1 else 'are'} not read: {suffixes}{more}; read are "
                f"{names_of_formats()}"
            )
        if self.own:
            said.append(f"what infojax wrote ({_listed(self.own)})")
        if self.back:
            said.append(f"{_count(self.back, 'link')} to folders that are read by their own names")
        if self.nowhere:
            said.append(f"{_count(self.nowhere, 'entry', 'entries')} that lead to no file")
        if self.beside:
            said.append(f"{_count(self.beside, 'picture')} beside the classes' sub-folders, as no class is theirs")
        if self.empty:
            said.append(
                f"{_count(len(self.empty), 'sub-folder')} without pictures ({_listed(self.empty)}), so no class"
            )
        return [f"{readable(str(folder))}: left out {'; '.join(said)}."] if said else []


def listing(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds, by name. Raises InvalidInput where it may not be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InvalidInput(
            f"the folder {readable(str(folder))} cannot be read ({error.strerror}). Change its permissions, or move it "
            "away."
        ) from error


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def is_tool_made(name: str) -> bool:
    """Whether a folder of this name is hidden, or one that tools leave behind."""
    return name.startswith(".") or name.casefold() in _TOOLS


def visible_folders(folder: Path) -> list[Path]:
    """Sub-folders that are neither hidden nor tool-made, nor written by infojax."""
    entries = [entry for entry in listing(folder) if is_folder(entry) and not is_tool_made(entry.name)]
    return [path for path in (Path(entry.path) for entry in entries) if not is_own_output(path)]


def is_own_output(folder: Path) -> bool:
    """Whether infojax wrote the folder: scores, a stored result, or the page of figures."""
    for file, marks in (("record.json", (b'"infojax"', b'"versions"')), ("index.html", (b"<title>infojax: ",))):
        try:
            if not (folder / file).is_file():
                continue
            with (folder / file).open("rb") as stream:
                text = stream.read(_RECORD)
        except OSError:
            continue
        if all(mark in text for mark in marks):
            return True
    return False


def pictures_below(folder: Path, left: LeftOut) -> list[Path]:
    """Every picture in the folder and its sub-folders, sorted by path. What is left out is added to `left`.

    Links to folders outside are followed, so that a class may lie elsewhere; each folder is read once.
    """
    root = folder.resolve()
    pictures: list[Path] = []
    pending, followed = [folder], {root}
    while pending:  # no recursion: paths may be deeper than Python's stack
        here = pending.pop()
        entries = listing(here)
        figures = _figures({entry.name for entry in entries})
        for entry in entries:
            path = Path(entry.path)
            if Path(entry.name).stem in figures and Path(entry.name).suffix in _OF_FIGURES:
                if path.suffix == ".png":
                    left.own.append(readable(path.relative_to(folder).as_posix()))
                continue
            if is_folder(entry):
                if is_tool_made(entry.name):
                    _hide(path, left)
                elif is_own_output(path):
                    left.own.append(readable(path.relative_to(folder).as_posix()))
                elif not entry.is_symlink() or _leads_out(path, root, followed):
                    pending.append(path)
                else:
                    left.back += 1
            else:
                _sort(entry, path, here != folder, pictures, left)
    return sorted(pictures)


def _figures(names: set[str]) -> set[str]:
    """The stems under which infojax wrote a figure and its numbers: a picture twice, and a table."""
    stems = {name.removesuffix(".pdf") for name in names if name.endswith(".pdf")}
    return {stem for stem in stems if f"{stem}.csv" in names and f"{stem}.png" in names}


def _sort(entry: os.DirEntry[str], path: Path, in_class: bool, pictures: list[Path], left: LeftOut) -> None:
    """Put a file among the pictures, or among what is left out."""
    name = entry.name
    if name.startswith("._") or name.casefold() in _LITTER:
        return
    if name.startswith("."):
        if suffix_of(path) in formats():
            left.hidden[readable(name)] += 1
        return
    if not _is_file(entry):
        left.nowhere += 1
    elif format_of(path) is not None:
        pictures.append(path)
    elif in_class:
        left.unread[readable(suffix_of(path)) or "no suffix"] += 1


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _leads_out(link: Path, root: Path, followed: set[Path]) -> bool:
    """Whether a link leads to a folder that is not read anyhow: outside of the root and not above it, and once."""
    target = link.resolve()
    if target in followed or target.is_relative_to(root) or root.is_relative_to(target):
        return False
    if any(target.is_relative_to(other) or other.is_relative_to(target) for other in followed if other != root):
        return False
    followed.add(target)
    return True


def _hide(folder: Path, left: LeftOut) -> None:
    """Count the pictures in a folder that is not read. Links in it are not followed."""
    for _, _, names in os.walk(folder):
        number = sum(Path(name).suffix.lower() in formats() for name in names)
        if number:
            left.hidden[readable(folder.name)] += number


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _listed(names: Counter[str] | list[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")
