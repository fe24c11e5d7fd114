"""Neural tangent kernels: of finite networks from their weights, of infinitely wide ones in closed form."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
