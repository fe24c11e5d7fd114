"""What the registry holds of a law: its problem, the functions that give it and its simulation, and how it is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from infojax.scaling.registry.numbers import KEPT, STRENGTH, Number, Rules

if TYPE_CHECKING:
    from jaxtyping import PRNGKeyArray


@dataclass(frozen=True)
class Law:
    """A law by its problem and its functions, which are named as `infojax.scaling` exports them.

    Attributes:
        problem: its class; the meaning, range and usual value of every number are in its fields.
        law, simulate: names of `law(problem)` and `simulate(problem, dimension=, repeats=, key=)`.
        quantities: fields of what they return.
        over: the number that is drawn along unless asked otherwise.
        says: what it is about, after "the law of".
        dimension, repeats: of a simulation, unless asked otherwise.
        places: of the law along an axis.
        chain: the number all of whose smaller values the law and a simulation pass through, from `first` on.
    """

    problem: type
    law: str
    simulate: str
    quantities: tuple[str, ...]
    over: str
    says: str
    dimension: int = 200
    repeats: int = 16
    places: int = 300
    chain: str | None = None
    first: int = 1

    @property
    def rules(self) -> Rules | None:
        return next((field.metadata["rules"] for field in fields(self.problem) if "rules" in field.metadata), None)

    @property
    def numbers(self) -> dict[str, Number]:
        """Each number by its name, of the rule's the fraction first and the strength last."""
        found = {field.name: field.metadata["number"] for field in fields(self.problem) if "number" in field.metadata}
        if self.rules is None:
            return found
        return {"kept": KEPT, **found, **({"strength": STRENGTH} if "soft" in self.rules.known else {})}

    @property
    def options(self) -> dict[str, tuple[Any, ...]]:
        """Each option by its name with its values; `hold` says to which examples numbers are relative."""
        found = {field.name: field.metadata["option"] for field in fields(self.problem) if "option" in field.metadata}
        relative = any(number.relative for number in self.numbers.values())
        return found | ({"hold": ("pool", "kept")} if relative else {})

    @property
    def usual(self) -> dict[str, Any]:
        """What is taken for each number, each option and the rules where nothing is asked for."""
        found: dict[str, Any] = {"hold": "pool"} if "hold" in self.options else {}
        for field in fields(self.problem):
            if "rules" in field.metadata:
                found |= {"rules": field.metadata["rules"].usual}
                found |= {name: field.metadata[name] for name in ("kept", "strength") if name in self.numbers}
            elif "option" in field.metadata:
                found[field.name] = field.default
            elif "number" in field.metadata:
                found[field.name] = field.metadata["usual"]
        return found

    def pose(self, given: Mapping[str, Any]) -> Any:
        """The problem of numbers and options by their names, with the rule as `rule`, `kept` and `strength`.

        With `hold`, numbers that are relative to examples are so to the "pool" or to those "kept" of it. What is not
        given, or None, has the problem's default; names that the problem does not have are passed over.
        """
        from infojax.arrays import whole_number  # JAX, which help texts do not need

        values: dict[str, Any] = {}
        for field in fields(self.problem):
            if "rules" in field.metadata:
                values[field.name] = _rule(given)
            elif given.get(field.name) is not None:
                number, value = field.metadata.get("number"), given[field.name]
                if number is not None and field.metadata.get("static"):
                    value = whole_number(field.name, value)
                relative = None if number is None else number.relative
                scaled = relative is not None and given.get("hold", relative) != relative and given["rule"] != "all"
                values[field.name] = value * given["kept"] if scaled else value
        return self.problem(**values)

    def evaluate(self, given: Mapping[str, Any]) -> Any:
        """The law of a posed problem; of a chain at its last link, which may be another at each point."""
        from infojax import scaling

        law = getattr(scaling, self.law)
        if self.chain is None:
            return law(self.pose(given))
        last = np.asarray(given[self.chain])
        found = law(self.pose({**given, self.chain: last.max()}))
        return type(found)(*(field[..., last.astype(int) - self.first] for field in found))

    def measure(
        self,
        given: Mapping[str, Any],
        *,
        dimension: int,
        repeats: int,
        key: "PRNGKeyArray",
        draw: Literal["pool", "kept"] | None = None,
    ) -> Any:
        """The simulation of a posed problem, of one point; of a chain all its links. `draw` is that of ridge pools."""
        from infojax import scaling

        simulate = getattr(scaling, self.simulate)
        if draw is not None:
            simulate = partial(simulate, draw=draw)
        return simulate(self.pose({**given, "dimension": dimension}), dimension=dimension, repeats=repeats, key=key)


def _rule(given: Mapping[str, Any]) -> Any:
    from infojax.scaling.selection.rules import named_rule

    return named_rule(given["rule"], given["kept"], given.get("strength", 0.0))
