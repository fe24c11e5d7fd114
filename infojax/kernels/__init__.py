"""Neural tangent kernels: of finite networks from their weights, of infinitely wide ones in closed form."""

from typing import TYPE_CHECKING, Any

from infojax.kernels.disk_writing import OnDisk
from infojax.kernels.empirical import empirical_ntk
from infojax.kernels.on_disk import KernelOnDisk, open_kernel
from infojax.kernels.random_coordinates import random_coordinate_ntk

if TYPE_CHECKING:
    from infojax.kernels.infinite import infinite_width

__all__ = ["KernelOnDisk", "OnDisk", "empirical_ntk", "infinite_width", "open_kernel", "random_coordinate_ntk"]


def __getattr__(name: str) -> Any:
    # It brings neural-tangents with it, which takes longer to import than all of infojax.
    if name == "infinite_width":
        from infojax.kernels.infinite import infinite_width

        return infinite_width
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
