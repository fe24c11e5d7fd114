"""Matrix products and convolutions in one layout: positions s, groups g, input features f, output features o.

Both are y[s, g, o] = Σ_f a[s, g, f] w[g, f, o]. For a convolution, positions are pixels of its output, and the input
features of a position are the patch that the filter sees there.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from infojax.arrays import JaxprEqn
from infojax.kernels.layers.program import shaped


def as_input(product: JaxprEqn, operand: int, data: Array) -> Float[Array, "s g f"]:
    """The data of `product`, whose weight is its operand number `operand`."""
    if product.primitive.name == "conv_general_dilated":
        return _patches(product, data)
    contracting, batch = product.params["dimension_numbers"]
    summed, together = contracting[1 - operand], batch[1 - operand]
    positions = [axis for axis in range(data.ndim) if axis not in (*summed, *together)]
    sizes = [int(np.prod([data.shape[axis] for axis in axes])) for axes in (positions, together, summed)]
    return data.transpose((*positions, *together, *summed)).reshape(sizes)


def as_output(product: JaxprEqn, operand: int, output: Any) -> Any:
    """An array (JAX or NumPy) of the shape of the product's output, as (s, g, o)."""
    if product.primitive.name == "conv_general_dilated":
        batch, channel, *space = product.params["dimension_numbers"].out_spec
        groups = product.params["feature_group_count"]
        moved = output.transpose((batch, *space, channel))
        return moved.reshape(-1, groups, moved.shape[-1] // groups)
    contracting, batch = product.params["dimension_numbers"]
    together = len(batch[0])
    free = [shaped(variable).ndim - together - len(contracting[0]) for variable in product.invars]
    left = range(together, together + free[0])
    right = range(together + free[0], output.ndim)
    positions, features = (left, right) if operand == 1 else (right, left)
    sizes = [int(np.prod([output.shape[axis] for axis in axes])) for axes in (positions, range(together), features)]
    return output.transpose((*positions, *range(together), *features)).reshape(sizes)


def _patches(convolution: JaxprEqn, data: Array) -> Float[Array, "s g f"]:
    """What the filter sees at each position of the output; the order of f is the same for all data."""
    params = convolution.params
    numbers = params["dimension_numbers"]
    groups = params["feature_group_count"]
    # (batch, channel, *space), zeros around and, for a transposed convolution, between.
    images = data.transpose(numbers.lhs_spec)
    padding = [(low, high, d - 1) for (low, high), d in zip(params["padding"], params["lhs_dilation"], strict=True)]
    images = lax.pad(images, jnp.zeros((), images.dtype), [(0, 0, 0), (0, 0, 0), *padding])
    # Along each axis of space in turn, one axis becomes two: (position, place in the filter).
    filter_sizes = [shaped(convolution.invars[1]).shape[axis] for axis in numbers.rhs_spec[2:]]
    for number, (size, stride, dilation) in enumerate(
        zip(filter_sizes, params["window_strides"], params["rhs_dilation"], strict=True)
    ):
        axis = 2 + 2 * number
        positions = (images.shape[axis] - (size - 1) * dilation - 1) // stride + 1
        seen = stride * np.arange(positions)[:, None] + dilation * np.arange(size)[None]
        images = jnp.take(images, seen, axis=axis, mode="clip")
    positions, places = range(2, images.ndim, 2), range(3, images.ndim, 2)
    features = images.shape[1] // groups * int(np.prod(filter_sizes))
    return images.transpose((0, *positions, 1, *places)).reshape(-1, groups, features)
