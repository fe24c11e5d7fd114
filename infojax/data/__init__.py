"""Examples in: data sets, where they are found, how they are fetched, and label noise."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
