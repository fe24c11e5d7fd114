"""Whether JAX has a device to compute on, and what to do where it has none."""

import os

from infojax.errors import InvalidInput

_INSTALL = {"cuda": 'pip install "jax[cuda12]"', "gpu": 'pip install "jax[cuda12]"', "tpu": 'pip install "jax[tpu]"'}


def require_devices() -> None:
    """Raises `InvalidInput` where JAX finds no device; at no cost where it was not told which kind to take."""
    if os.environ.get("JAX_PLATFORMS", "") not in ("", "cpu") and (missing := devices_missing()):
        raise InvalidInput(missing)


def devices_missing() -> str:
    """What is wrong, and the remedy, where JAX finds no device to compute on; empty where it does."""
    import jax

    try:
        jax.devices()
    except (AssertionError, RuntimeError) as error:
        asked = os.environ.get("JAX_PLATFORMS") or jax.config.jax_platforms or ""  # pyright: ignore[reportAttributeAccessIssue]
        reason = " ".join(str(error).partition(" (set JAX_PLATFORMS")[0].split())
        found = f"JAX finds no device to compute on{': ' + reason if reason else ''}."
        if not asked:
            return f"{found} Set JAX_PLATFORMS=cpu to compute on the processor."
        kind = asked.split(",")[0]
        install = f", or install JAX for it: {_INSTALL[kind]}" if kind in _INSTALL else ""
        return f"{found} JAX_PLATFORMS is {asked!r} in the environment; unset it, or set it to cpu{install}."
    return ""
