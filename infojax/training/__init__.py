"""Training real networks: a recipe, one compiled loop for whatever is minimized, and the learner that comes out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
