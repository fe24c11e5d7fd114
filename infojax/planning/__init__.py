"""Before starting: bytes, seconds, and which way to go."""

from infojax.planning.machine import MACHINES, Machine, machine_named, this_machine
from infojax.planning.plan import Plan, plan
from infojax.planning.routes import Route, Stage

__all__ = ["MACHINES", "Machine", "Plan", "Route", "Stage", "machine_named", "plan", "this_machine"]
