"""Reading and writing safely: files whole or not at all, checked when read; nothing about the field."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
