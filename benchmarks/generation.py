"""Speed of sampling: `python -m benchmarks.generation`.

Seconds for 28 × 28 examples of ten classes, 50 steps of DDIM: unguided, with classifier-free guidance, and guided by
the entropy of an MLP that has learned a little (plug-in), by generators of several kinds. Times do not depend on the
parameters, so networks are as they are drawn; the data of the empirical mixture are noise. Compiled before. Two tiles
of 128 are timed and multiplied: tiles come one after the other.
"""

import resource
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from infojax.generation import (
    Denoiser,
    Generator,
    PatchMixer,
    ResidualMLP,
    UNet,
    cosine,
    empirical,
    mixture_generator,
    plug_in,
    sample,
)
from infojax.models import mlp
from infojax.training import Learner

EXAMPLES, TIMED, STEPS, TILE, MODES = 2000, 256, 50, 128, 1000
SHAPE, CLASSES, SCHEDULE = (28, 28, 1), 10, cosine()
PAPERS_RATIO = 1.82  # guided over vanilla, latent diffusion on an H100 (arXiv 2502.15588)


def generators() -> dict[str, Generator]:
    made = {}
    for architecture in (PatchMixer(4, 64, 192, 6), ResidualMLP(1024, 3), UNet((32, 64))):
        denoiser = Denoiser(architecture, SHAPE, CLASSES, SCHEDULE)
        params = denoiser.init(jax.random.key(0))
        size = sum(leaf.size for leaf in jax.tree.leaves(params)) / 1e6
        name = f"{type(architecture).__name__}, {size:.2g} million parameters"
        made[name] = Generator(denoiser, params, SHAPE, CLASSES, SCHEDULE)
    random = np.random.default_rng(0)
    data = random.uniform(-1, 1, (MODES, *SHAPE)).astype(np.float32)
    made[f"empirical mixture, {MODES:,} modes"] = mixture_generator(
        empirical(data, np.arange(MODES) % CLASSES, 0.1), SCHEDULE
    )
    return made


def main() -> None:
    network = mlp((256, 256), CLASSES)
    learner = Learner(network, network.init(jax.random.key(1), SHAPE))
    table = Table(
        "generator", "guidance", "seconds", "CPU s", "CPU s / unguided", title=f"{EXAMPLES:,} examples, {STEPS} steps"
    )
    ways: dict[str, dict[str, Any]] = {
        "none": {},
        "classes": {"class_guidance": 1.0},
        "entropy": {"guidance": plug_in(learner, 1.0)},
        "entropy and classes": {"guidance": plug_in(learner, 1.0), "class_guidance": 1.0},
    }
    for name, generator in generators().items():
        unguided = None
        for way, options in ways.items():
            wall, cpu = timed(lambda key, g=generator, o=options: draw(g, key, o))
            unguided = unguided or cpu
            table.add_row(name, way, f"{wall:.1f}", f"{cpu:.1f}", f"{cpu / unguided:.2f}")
    Console().print(table)
    Console().print(f"The paper's guided images cost {PAPERS_RATIO} times as much as unguided ones, classes in both.")
    Console().print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


def draw(generator: Generator, key: Any, options: dict[str, Any]) -> None:
    labels = np.arange(TIMED) % CLASSES
    sample(generator, labels, key=key, steps=STEPS, tile=TILE, **options).x.block_until_ready()


def timed(call: Callable[[Any], None]) -> tuple[float, float]:
    """Wall and CPU seconds of the second call, for all examples."""
    call(jax.random.key(0))
    wall, cpu = time.perf_counter(), time.process_time()
    call(jax.random.key(1))
    times = EXAMPLES / TIMED
    return times * (time.perf_counter() - wall), times * (time.process_time() - cpu)


if __name__ == "__main__":
    main()
