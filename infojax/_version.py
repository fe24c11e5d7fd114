"""The installed version. It stands in a file of its own because finding it takes longer than importing infojax."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("infojax")
except PackageNotFoundError:  # run from its source, not installed
    __version__ = "unknown"
