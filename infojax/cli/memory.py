"""How much memory there is, for commands."""

from infojax.memory import memory

__all__ = ["memory"]
