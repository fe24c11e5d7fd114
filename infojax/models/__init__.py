"""Networks as pure functions: `Network(init, apply)`, from flax, stax, plain functions, and those of the papers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
