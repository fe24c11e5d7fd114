"""infojax: the information in training examples, and scaling laws under data selection, in JAX."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
