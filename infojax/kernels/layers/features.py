"""What the kernel needs of each example, layer by layer: activations and cotangents instead of gradients.

The gradient of output c with respect to a layer's weights is Σ_s a_s b_csᵀ: its activations a at positions s (pixels,
tokens; one position for a dense layer on a vector), times the cotangents b of what it puts out. Both come from one
run forwards and one backwards, in which zeros are added to the layers' outputs and differentiated for.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from infojax.arrays import jaxpr_as_fun
from infojax.kernels.layers.layouts import as_input, as_output
from infojax.kernels.layers.program import Environment, flatten, is_floating, outputs_depend_on, read, run, shaped
from infojax.kernels.layers.sites import Factor, Site, find_sites


class Features(NamedTuple):
    """Of n examples: for each layer (activations, cotangents) or, in `gradients`, the gradients themselves.

    Attributes:
        dense: layers with one position: (n f, n k o). Cotangents that no example changes stand once: (k o).
        factored: layers whose gradients are larger than what they are products of: (n s f, n k s o).
        gradients: of the parameters of each other layer: (n k p).
    """

    dense: tuple[tuple[Float[Array, "n f"], Float[Array, "*n k o"]], ...]
    factored: tuple[tuple[Float[Array, "n s f"], Float[Array, "n k s o"]], ...]
    gradients: tuple[Float[Array, "n k p"], ...]


class Factors(NamedTuple):
    """Of one example and one site, whose gradient is Σ_s a_s b_csᵀ; the bias, if there is one, is the last of f."""

    activations: Float[Array, "s g f"]
    cotangents: Float[Array, "k s g o"]
    bias: bool


@functools.partial(jax.jit, static_argnames=("apply", "layers"))
def features(
    apply: Callable[..., Any], params: PyTree, x: Float[Array, "n ..."] | Any, *, layers: bool = True
) -> Features:
    """The features of the examples `x`; with `layers` false all of them are gradients."""
    example = jax.ShapeDtypeStruct(x.shape[1:], x.dtype)
    program, out = jax.make_jaxpr(functools.partial(_features_of_one, apply, layers=layers), return_shape=True)(
        params, example
    )
    vary = outputs_depend_on(program.jaxpr, program.jaxpr.invars[-1:])
    structure = jax.tree.structure(out)
    shared = [not b for _, b in jax.tree.unflatten(structure, vary).dense]
    axes: Any = Features(tuple((0, None if once else 0) for once in shared), 0, 0)  # pyright: ignore
    leaves = jax.tree.leaves(params)

    def of_one(one: Array) -> Any:
        return jax.tree.unflatten(structure, jaxpr_as_fun(program)(*leaves, one))

    return jax.vmap(of_one, out_axes=axes)(x)


def kernel_dtype(params: PyTree) -> np.dtype:
    """The widest floating-point dtype among the parameters."""
    return max((leaf.dtype for leaf in jax.tree.leaves(params) if is_floating(leaf)), key=lambda d: d.itemsize)


def _features_of_one(apply: Callable[..., Any], params: PyTree, x: Array, *, layers: bool) -> Features:
    factors, gradients = factors_of_one(apply, params, x, layers=layers)
    dense, factored = [], []
    for a, b, _ in factors:
        match _best_way(a.shape, b.shape):
            case "dense":
                dense.append((a[0, 0], b[:, 0, 0]))
            case "factored":
                factored.append((a[:, 0], b[:, :, 0]))
            case "gradients":
                gradients.append(jnp.einsum("sgf,ksgo->kgfo", a, b).reshape(b.shape[0], -1))
    return Features(tuple(dense), tuple(factored), tuple(gradients))


def factors_of_one(
    apply: Callable[..., Any], params: PyTree, x: Array, *, layers: bool = True
) -> tuple[list[Factors], list[Float[Array, "k p"]]]:
    """Of one example, without a batch axis: the factors of each site, and the gradients of all other parameters."""
    leaves, structure = jax.tree.flatten(params)
    program = flatten(lambda *args: apply(jax.tree.unflatten(structure, args[:-1]), args[-1][None])[0], *leaves, x)
    sites = find_sites(program.jaxpr, program.jaxpr.invars[:-1]) if layers else ()
    dtype = kernel_dtype(params)
    places = list(dict.fromkeys(site.at for site in sites))
    given = dict(zip(program.jaxpr.invars, [*leaves, x], strict=True))
    found = {site.weight for site in sites} | {site.bias for site in sites}
    others = [v for v in program.jaxpr.invars[:-1] if v not in found and is_floating(shaped(v))]

    def outputs(added: list[Array], values: list[Array]) -> tuple[Array, list[Array]]:
        arguments = given | dict(zip(others, values, strict=True))
        environment = run(program, list(arguments.values()), dict(zip(places, added, strict=True)))
        activations = [_activations(environment, site, dtype) for site in sites]
        return read(environment, program.jaxpr.outvars[0]), activations

    zeros = [jnp.zeros(shaped(place).shape, shaped(place).dtype) for place in places]
    out, pull_back, activations = jax.vjp(outputs, zeros, [given[v] for v in others], has_aux=True)
    cotangents, gradients = jax.vmap(pull_back)(jnp.eye(out.size, dtype=out.dtype))
    at = dict(zip(places, cotangents, strict=True))

    factors = []
    for site, a in zip(sites, activations, strict=True):
        b = jax.vmap(functools.partial(as_output, site.equation, site.operand))(at[site.at])
        factors.append(Factors(a, b.astype(dtype), site.bias is not None))
    return factors, [gradient.reshape(out.size, -1).astype(dtype) for gradient in gradients]


def _activations(environment: Environment, site: Site, dtype: np.dtype) -> Float[Array, "s g f"]:
    """What the weights of `site` are multiplied with; a bias is a weight on one more input, which is always 1."""
    data = read(environment, site.data)
    a = as_input(site.equation, site.operand, data).astype(dtype) * _product(environment, site.scale, dtype)
    if site.bias is None:
        return a
    one = _product(environment, site.bias_scale, dtype)
    return jnp.concatenate([a, jnp.broadcast_to(one, (*a.shape[:2], 1))], axis=2)


def _product(environment: Environment, factors: tuple[Factor, ...], dtype: Any) -> Float[Array, "1 1 1"]:
    product = jnp.ones((1, 1, 1), dtype)
    for atom, divides in factors:
        factor = jnp.asarray(read(environment, atom)).astype(dtype).reshape(1, 1, 1)
        product = product / factor if divides else product * factor
    return product


def _best_way(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """For activations (s g f) and cotangents (k s g o): what takes the least work a pair of examples, and memory."""
    outputs, positions, groups, fan_out = b
    fan_in = a[2]
    if groups > 1:
        return "gradients"
    if positions == 1:
        # An entry of the kernel costs a pass through memory, about sixteen multiplications, beside the products.
        dense = fan_in + outputs**2 * (fan_out + 16)
        return "dense" if dense < outputs**2 * fan_in * fan_out else "gradients"
    # Gradients can be formed from their factors for each tile, see contract.py: more work, for much less memory.
    smaller = 5 * positions * (fan_in + outputs * fan_out) < outputs * fan_in * fan_out
    return "factored" if smaller or pairs_are_cheaper(a[0], fan_in, outputs, fan_out) else "gradients"


def pairs_are_cheaper(positions: int, fan_in: int, outputs: int, fan_out: int) -> bool:
    """Whether products of all pairs of positions take fewer multiplications than products of gradients."""
    return positions**2 * (fan_in + outputs**2 * (fan_out + 1)) < outputs**2 * fan_in * fan_out
