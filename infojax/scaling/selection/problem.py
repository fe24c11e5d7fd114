"""What the labels and the directions of a ridge problem must be together."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from infojax.arrays import traced
from infojax.errors import InvalidInput
from infojax.scaling._batched import withheld
from infojax.scaling.selection.rules import Selection
from infojax.scaling.selection.weighting import Weighting

_ROUNDING = 1e-9  # by how much a Gram matrix of given cosines may fail to be positive semi-definite


def check_labels(
    selection: Selection | Weighting, labels: str, label_aware: bool, noise: ArrayLike, flips: ArrayLike
) -> None:
    """Refuse options of labels that do not go together."""
    if labels == "linear" and label_aware:
        raise InvalidInput("label_aware=True compares the label with a sign; give labels='sign' or label_aware=False")
    if label_aware and isinstance(selection, Weighting):
        raise InvalidInput("label_aware=True is for named rules; the function of weigh_by is told what agrees")
    for name, value, kind in (("noise", noise, "linear"), ("flips", flips, "sign")):
        if labels != kind and (traced(value) or np.any(np.asarray(value) != 0)):
            raise InvalidInput(f"{name}={value} is for labels={kind!r}, and they are {labels!r}")


def realizable(
    pruner: ArrayLike, generator: ArrayLike, between: ArrayLike | None, label_aware: bool
) -> tuple[Any, Any]:
    """The cosines of the pruner with the truth and with the generator, which follows where the generator is the truth.

    Cosines that no three directions have, and labels that the pruner always contradicts, are refused; where they are
    traced they are NaN.
    """
    if between is None:
        if traced(generator) or np.any(np.asarray(generator) != 1):
            raise InvalidInput(
                f"generator={generator} labels otherwise than the truth, so its cosine with the pruner must be "
                "given too: pruner_generator=w_s·w_g (pruner * generator if they share only the truth)"
            )
        between = pruner
    pruner = _in_space(pruner, generator, between)
    if label_aware and traced(between):
        return pruner, withheld(~(jnp.asarray(between) > -1), jnp.asarray(between))
    if label_aware and np.any(np.asarray(between) == -1):
        raise InvalidInput(
            "pruner_generator=-1 with label_aware=True keeps no example: the pruner contradicts every label; "
            "give a larger cosine or label_aware=False"
        )
    return pruner, between


def _in_space(pruner: ArrayLike, generator: ArrayLike, between: ArrayLike) -> Any:
    if traced(pruner, generator, between):
        s, g, sg = (jnp.asarray(cosine, jnp.result_type(float)) for cosine in (pruner, generator, between))
        volume = 1 + 2 * s * g * sg - s**2 - g**2 - sg**2
        slack = max(_ROUNDING, 16 * float(jnp.finfo(s.dtype).eps))
        return withheld(volume < -slack, s)
    s, g, sg = np.broadcast_arrays(*(np.asarray(cosine, np.float64) for cosine in (pruner, generator, between)))
    # det of the Gram matrix of (w_s, w_g, w_*)
    bad = 1 + 2 * s * g * sg - s**2 - g**2 - sg**2 < -_ROUNDING
    if bad.any():
        s, g, sg = s[bad].flat[0], g[bad].flat[0], sg[bad].flat[0]
        reach = np.sqrt((1 - s**2) * (1 - g**2))
        raise InvalidInput(
            f"no three directions have the cosines pruner={s}, generator={g}, pruner_generator={sg}: "
            f"given the first two, pruner_generator must be in [{s * g - reach:.6g}, {s * g + reach:.6g}]"
        )
    return pruner
