"""A function as one flat list of equations (a jaxpr): written out, run with something added, asked what varies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from infojax.arrays import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var, bind

# Calls that mean the same when their body is written out in place. Functions with a derivative of their own
# (custom_jvp, custom_vjp) are not among them: written out, the derivative would be another.
_CALLS = frozenset({"jit", "pjit", "closed_call", "core_closed_call", "remat", "remat2", "checkpoint"})

Environment = Mapping[Var, Any]


def flatten(function: Callable[..., Any], *arguments: Any) -> ClosedJaxpr:
    """The jaxpr of `function` with nested jit, closed and checkpoint calls written out.

    Its input variables are the leaves of `arguments` (arrays, or shapes and dtypes), in the order of `jax.tree.leaves`.

    >>> import jax.numpy as jnp
    >>> square = jax.jit(lambda x: x * x)
    >>> [equation.primitive.name for equation in flatten(lambda x: square(x) + x, jnp.ones(3)).jaxpr.eqns]
    ['mul', 'add']
    """
    program = jax.make_jaxpr(function)(*arguments)

    def written_out(*leaves: Any) -> list[Any]:
        environment = run(program, leaves)
        return [read(environment, atom) for atom in program.jaxpr.outvars]

    return jax.make_jaxpr(written_out)(*jax.tree.leaves(arguments))


def run(program: ClosedJaxpr, arguments: Sequence[Any], added: Mapping[Var, Any] | None = None) -> dict[Var, Any]:
    """The value of every variable of `program`; to a variable in `added`, that is added when it is computed."""
    added = added or {}
    environment: dict[Var, Any] = dict(zip(program.jaxpr.constvars, program.consts, strict=True))
    environment.update(zip(program.jaxpr.invars, arguments, strict=True))
    for equation in program.jaxpr.eqns:
        values = [read(environment, atom) for atom in equation.invars]
        called = _called(equation)
        if called is None:
            results = bind(equation, *values)
        else:
            inside = run(called, values)
            results = [read(inside, atom) for atom in called.jaxpr.outvars]
        for variable, result in zip(equation.outvars, results, strict=True):
            environment[variable] = result + added[variable] if variable in added else result
    return environment


def read(environment: Environment, atom: Var | Literal) -> Any:
    """The value of a variable or of a literal."""
    return atom.val if isinstance(atom, Literal) else environment[atom]


def shaped(atom: Var | Literal) -> Any:
    """What has the shape, size and dtype of a variable or literal."""
    return atom.aval


def is_floating(array: Any) -> bool:
    return hasattr(array, "dtype") and jnp.issubdtype(array.dtype, jnp.floating)


def outputs_depend_on(jaxpr: Jaxpr, sources: Sequence[Var]) -> list[bool]:
    """For each output, whether it may depend on any of the variables `sources`."""
    dependent = set(sources)
    for equation in jaxpr.eqns:
        if any(isinstance(atom, Var) and atom in dependent for atom in equation.invars):
            dependent.update(equation.outvars)
    return [isinstance(atom, Var) and atom in dependent for atom in jaxpr.outvars]


def peak_bytes(jaxpr: Jaxpr) -> int:
    """Bytes alive at the worst moment when the equations run one by one, inputs and outputs included.

    An estimate of what the compiled function takes: the compiler reorders, and it fuses equations, which saves.
    """
    last_use: dict[Var, int] = {}
    for position, equation in enumerate(jaxpr.eqns):
        last_use.update({atom: position for atom in equation.invars if isinstance(atom, Var)})
    last_use.update({atom: len(jaxpr.eqns) for atom in jaxpr.outvars if isinstance(atom, Var)})
    inputs = set(jaxpr.invars) | set(jaxpr.constvars)
    alive = sum(map(_bytes, inputs))
    peak = alive
    for position, equation in enumerate(jaxpr.eqns):
        made = sum(map(_bytes, equation.outvars))
        read_now = {atom for atom in equation.invars if isinstance(atom, Var)}
        inside = max((peak_bytes(inner) - sum(map(_bytes, inner.invars)) for inner in _inner(equation)), default=0)
        peak = max(peak, alive + max(made, inside))
        alive += sum(_bytes(variable) for variable in equation.outvars if variable in last_use)
        alive -= sum(_bytes(atom) for atom in read_now - inputs if last_use[atom] == position)
    return peak


def _called(equation: JaxprEqn) -> ClosedJaxpr | None:
    if equation.primitive.name not in _CALLS:
        return None
    body: Any = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
    return body if isinstance(body, ClosedJaxpr) else ClosedJaxpr(body, ())


def _inner(equation: JaxprEqn) -> list[Jaxpr]:
    values = jax.tree.leaves(list(equation.params.values()), is_leaf=lambda v: isinstance(v, Jaxpr | ClosedJaxpr))
    bodies = [value.jaxpr if isinstance(value, ClosedJaxpr) else value for value in values]
    return [body for body in bodies if isinstance(body, Jaxpr)]


def _bytes(variable: Var) -> int:
    array = shaped(variable)
    return array.size * array.dtype.itemsize if hasattr(array, "dtype") else 0
