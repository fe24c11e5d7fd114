"""Where features and tiles are computed: on one device, or with the rows of each tile spread over several.

On several it is one program, the same for all, each device with its part of the examples; features of a tile's columns
are gathered on every device.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PyTree

from infojax.errors import InvalidInput
from infojax.kernels._batches import in_batches
from infojax.kernels._contract import contract
from infojax.kernels.layers.features import Features

_ALL, _SPREAD = PartitionSpec(), PartitionSpec("examples")


class Work(NamedTuple):
    """Attributes:
    features: of a block of examples, as rows of a tile need them.
    as_column: those features as columns of a tile need them.
    contract: the tile between features of rows and of columns.
    """

    features: Callable[[Any], Features]
    as_column: Callable[[Features], Features]
    contract: Callable[[Features, Features], Array]


def choose_devices(devices: Sequence[Any] | None) -> tuple[Any, ...]:
    """The devices to compute on; none means the default one, and that nothing is moved anywhere.

    For None all local ones, but on a CPU one: it has all of the cores, and virtual ones share them.

    Raises:
        InvalidInput: an empty list, the same device twice, or one of another process.
    """
    if devices is None:
        several = jax.default_backend() != "cpu" and jax.config.jax_default_device is None  # pyright: ignore
        local = jax.local_devices() if several else []
        return tuple(local) if len(local) > 1 else ()
    devices = tuple(devices)
    if not devices or len(set(devices)) < len(devices) or not all(isinstance(d, jax.Device) for d in devices):
        raise InvalidInput(f"devices must be one or more different ones of jax.local_devices(), not {list(devices)}")
    far = [device for device in devices if device.process_index != jax.process_index()]
    if far:
        raise InvalidInput(f"{far[0]} belongs to another process: give some of jax.local_devices()")
    return devices


def work_on(devices: tuple[Any, ...], of_block: functools.partial[Features], shapes: Features, batch: int) -> Work:
    """How to compute there: `of_block` is `partial(make, apply, params, **options)`, `shapes` what it gives for one
    example, and `batch` the most examples a device may run the network on at once.
    """
    apply, params = of_block.args
    if len(devices) < 2:
        if devices:
            of_block = functools.partial(of_block.func, apply, jax.device_put(params, devices[0]), **of_block.keywords)
        return Work(lambda x: in_batches(of_block, x, batch), lambda features: features, contract)
    mesh = Mesh(np.asarray(devices), ("examples",))
    make = _Make(of_block.func, apply, tuple(sorted(of_block.keywords.items())))
    specs = _specs(shapes)
    everywhere, spread = NamedSharding(mesh, _ALL), NamedSharding(mesh, _SPREAD)
    params = jax.device_put(params, everywhere)

    def of_part(x: Any) -> Features:
        return _features(params, jax.device_put(x, spread), make=make, mesh=mesh, specs=specs)

    join = functools.partial(_joined, mesh=mesh)
    return Work(
        lambda x: in_batches(of_part, x, batch * len(devices), parts=len(devices), join=join),
        functools.partial(_gathered, sharding=everywhere),
        functools.partial(_contract, mesh=mesh, specs=specs),
    )


@dataclass(frozen=True)
class _Make:
    """What makes features, as one hashable thing, so that it is compiled once for all calls."""

    function: Callable[..., Features]
    apply: Callable[..., Any]
    options: tuple[tuple[str, Any], ...]

    def __call__(self, params: PyTree, x: Any) -> Features:
        return self.function(self.apply, params, x, **dict(self.options))


def _specs(shapes: Features) -> Any:
    """Which features are spread: all but cotangents that no example changes."""
    dense = tuple((_SPREAD, _ALL if b.ndim == 2 else _SPREAD) for _, b in shapes.dense)
    return Features(dense, ((_SPREAD, _SPREAD),) * len(shapes.factored), (_SPREAD,) * len(shapes.gradients))  # pyright: ignore


@functools.partial(jax.jit, static_argnames=("make", "mesh", "specs"))
def _features(params: PyTree, x: Any, *, make: _Make, mesh: Mesh, specs: Any) -> Features:
    return jax.shard_map(make, mesh=mesh, in_specs=(_ALL, _SPREAD), out_specs=specs, check_vma=False)(params, x)


@functools.partial(jax.jit, static_argnames=("mesh", "specs"))
def _contract(left: Any, right: Any, *, mesh: Mesh, specs: Any) -> Array:
    return jax.shard_map(contract, mesh=mesh, in_specs=(specs, _ALL), out_specs=_SPREAD, check_vma=False)(left, right)


@functools.partial(jax.jit, static_argnames="sharding")
def _gathered(features: Any, *, sharding: NamedSharding) -> Any:
    return jax.lax.with_sharding_constraint(features, sharding)


@functools.partial(jax.jit, static_argnames=("skip", "mesh"))
def _joined(leaves: list[Array], skip: int, *, mesh: Mesh) -> Array:
    def join(leaves: list[Array]) -> Array:
        return jnp.concatenate([*leaves[:-1], leaves[-1][skip:]])

    return jax.shard_map(join, mesh=mesh, in_specs=(_SPREAD,), out_specs=_SPREAD, check_vma=False)(leaves)
