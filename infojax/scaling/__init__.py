"""Exact laws of the test error under data selection, and the simulations that check them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
