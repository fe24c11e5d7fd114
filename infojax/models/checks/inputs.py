"""What every way to unique information is given, checked before all else: a network, weights of it, and examples."""

from typing import Any

from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.models._network import Network
from infojax.models.checks.parameters import check_apply, check_parameters, module_library

_MAKERS = (
    "give ij.models.mlp(...), or make one of your own with ij.models.from_nnx, from_linen, from_stax or from_function"
)


def check_network_and_params(network: Any, params: Any) -> None:
    """Raises `InvalidInput` unless `network` is a Network, or has an `apply` as one has, and `params` are weights."""
    require_network(network)
    check_apply(network.apply)
    check_parameters(network.apply, params)


def require_network(network: Any) -> None:
    """Raises `InvalidInput` for a function, the maker of a network, a module and all else that has no `apply`."""
    if isinstance(network, Network) or (callable(getattr(network, "apply", None)) and not isinstance(network, type)):
        return
    library = module_library(network)
    if library is not None:
        check_apply(network)
    name = getattr(network, "__name__", "")
    if str(getattr(network, "__module__", "")).startswith("infojax.models"):
        what, remedy = f"the function {name}, which makes one", f"call it, ij.models.{name}(...)"
    elif isinstance(network, tuple) and len(network) == 3 and all(map(callable, network)):
        what, remedy = "three functions, as stax makes them", "give ij.models.from_stax(network)"
    elif isinstance(network, type):
        what, remedy = f"the class {name}", _MAKERS
    elif callable(network):
        what = f"the function {name or type(network).__name__}"
        remedy = "give ij.models.from_function(network), where it is apply(params, x)"
    else:
        what, remedy = f"{network!r:.100} ({type(network).__name__})", _MAKERS
    raise InvalidInput(f"network is {what}; it must be a Network: {remedy}.")


def require_ensemble(network: Any) -> None:
    """The same where the kernel function of a stax triple will do too."""
    maker = isinstance(network, type) or str(getattr(network, "__module__", "")).startswith("infojax.models")
    if isinstance(network, Network) or (callable(network) and not maker and module_library(network) is None):
        return
    check_apply(network)
    require_network(network)


def require_dataset(name: str, data: Any) -> None:
    """Raises `InvalidInput` for arrays in place of a `Dataset`."""
    if not isinstance(data, Dataset) and not (hasattr(data, "x") and hasattr(data, "targets")):
        raise InvalidInput(f"{name} is {_called(data)}; give a Dataset, ij.data.Dataset(x, y, classes).")


def require_examples(name: str, data: Any) -> None:
    """Raises `InvalidInput` unless it is a `Dataset` or a pair of arrays."""
    if not isinstance(data, Dataset) and not (isinstance(data, tuple | list) and len(data) == 2):
        raise InvalidInput(
            f"{name} is {_called(data)}; give a Dataset, ij.data.Dataset(x, y, classes), or a pair (x, targets)."
        )


def _called(data: Any) -> str:
    if hasattr(data, "shape"):
        return f"an array of shape {tuple(data.shape)}"
    if isinstance(data, type):
        return f"the class {data.__name__}"
    kind = type(data).__name__
    return f"a {kind} of {len(data)}" if isinstance(data, tuple | list | dict) else f"{data!r:.60} ({kind})"
