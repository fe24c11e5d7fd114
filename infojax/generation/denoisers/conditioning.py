"""How time and class enter a denoiser: as gains and shifts of its layers."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

CONDITION = 128
_ZEROS = nnx.initializers.zeros_init()


class Embedding(nnx.Module):
    """A row for each label. Unlike `nnx.Embed` in the precision of its parameters, whatever that was at first."""

    def __init__(self, labels: int, rngs: nnx.Rngs) -> None:
        draw = nnx.initializers.normal(1.0)
        self.embedding = nnx.Param(draw(rngs.params(), (labels, CONDITION), jnp.float32))

    def __call__(self, label: Int[Array, " b"]) -> Float[Array, "b c"]:
        return self.embedding[...][label]


class Condition(nnx.Module):
    """Log signal-to-noise ratio and label → what the layers' gains and shifts are made of, (b, 128)."""

    def __init__(self, classes: int, rngs: nnx.Rngs) -> None:
        self.time = nnx.Linear(64, CONDITION, rngs=rngs)
        self.label = Embedding(classes + 1, rngs)
        self.out = nnx.Linear(CONDITION, CONDITION, rngs=rngs)

    def __call__(self, log_snr: Float[Array, " b"], label: Int[Array, " b"]) -> Float[Array, "b c"]:
        # periods from 1 to 126 on a scale that runs from about −12 to 12
        frequencies = jnp.exp(jnp.linspace(jnp.log(0.05), jnp.log(5.0), 32)).astype(log_snr.dtype)
        angles = log_snr[:, None] * frequencies[None]
        waves = jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=1)
        return jax.nn.silu(self.out(jax.nn.silu(self.time(waves) + self.label(label))))


class Modulation(nnx.Module):
    """x → (1 + gain) x/rms(x) + shift over the last axis, gain and shift linear in the condition (FiLM), 0 at first."""

    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(CONDITION, 2 * width, kernel_init=_ZEROS, rngs=rngs)

    def __call__(self, x: Float[Array, "*grid f"], condition: Float[Array, "b c"], axis: int = 0) -> Array:
        """`axis` is that of the batch in x."""
        wide = [1] * (x.ndim - 1)
        wide[axis] = len(condition)
        gain, shift = jnp.split(self.linear(condition).reshape(*wide, -1), 2, axis=-1)
        return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6) * (1 + gain) + shift
