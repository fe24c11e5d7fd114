"""How many threads the libraries of one process may start, told by its environment, before it imports them."""

import os


def bounded(cpus: int) -> dict[str, str]:
    """Variables that bound the threads of XLA, OpenBLAS, MKL and OpenMP; those that are set already stay as they are.

    >>> sorted(bounded(2)) if not os.environ.keys() & {"PJRT_NPROC", "OMP_NUM_THREADS"} else None  # doctest: +ELLIPSIS
    ['MKL_NUM_THREADS', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'PJRT_NPROC'...
    """
    names = ("PJRT_NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {name: os.environ.get(name, str(cpus)) for name in names}
