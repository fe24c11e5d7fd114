"""A run in rounds: a learner is trained, evaluated, given more examples when it stalls; all is kept, and resumed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
