"""Numbers and arrays as they are given: checked, in which precision, and on which device."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
