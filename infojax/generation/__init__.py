"""Generating informative examples: diffusion, its guidance by what a learner is unsure of, deliberate practice."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
