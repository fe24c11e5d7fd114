"""infojax: the information in training examples, and scaling laws under data selection, in JAX."""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infojax import data, generation, information, kernels, linearized, models, planning, plots, scaling, sweeps
    from infojax.information import unique_information
    from infojax.linearized import Converged, GradientDescent, GradientFlow
    from infojax.planning import plan

__all__ = [
    "Converged",
    "GradientDescent",
    "GradientFlow",
    "data",
    "generation",
    "information",
    "kernels",
    "linearized",
    "models",
    "plan",
    "planning",
    "plots",
    "scaling",
    "sweeps",
    "unique_information",
]

# Imported when they are first asked for: JAX and its like take seconds, which `infojax --help` has no use for.
_FROM = {
    "unique_information": "information",
    "Converged": "linearized",
    "GradientDescent": "linearized",
    "GradientFlow": "linearized",
    "plan": "planning",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("infojax")
        except PackageNotFoundError:  # run from its source, not installed
            return "unknown"
    if name in _FROM:
        value = getattr(importlib.import_module(f"infojax.{_FROM[name]}"), name)
    elif name in __all__ or (not name.startswith("_") and importlib.util.find_spec(f"infojax.{name}")):
        value = importlib.import_module(f"infojax.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
