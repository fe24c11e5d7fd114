"""Networks as pure functions: `Network(init, apply)`, from flax, stax, plain functions, and those of the papers."""

from typing import TYPE_CHECKING, Any

from infojax.models.attacks import fgsm, pgd
from infojax.models.cnn import cnn
from infojax.models.function import from_function
from infojax.models.linen import from_linen
from infojax.models.mlp import mlp
from infojax.models.network import Network, Params
from infojax.models.nnx import from_nnx
from infojax.models.pretrained import pretrained

if TYPE_CHECKING:
    from infojax.models.stax import from_stax

__all__ = [
    "Network",
    "Params",
    "cnn",
    "fgsm",
    "from_function",
    "from_linen",
    "from_nnx",
    "from_stax",
    "mlp",
    "pgd",
    "pretrained",
]


def __getattr__(name: str) -> Any:
    # stax comes with neural-tangents, which is too slow to import for those who do not use it.
    if name == "from_stax":
        from infojax.models.stax import from_stax

        return from_stax
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
