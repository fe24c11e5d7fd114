"""Other libraries on the attribution job: each a function from the job to scores (n, q), positive for proponents.

Weights and data are carried over to torch before the clock starts. Damping is what the library adds to its curvature
of the mean loss. None of these libraries is needed by infojax: a missing one raises ImportError, and its row says so.
"""

import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.information.attribution_job import Job

Peer = Callable[[], np.ndarray]


def torch_model(job: Job) -> Any:
    """The trained network as a torch module."""
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(1)
    layers = []
    for _, weights in sorted(job.params["layers"].items()):
        kernel = weights["kernel"]
        linear = torch.nn.Linear(*kernel.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(kernel.T))
            linear.bias.copy_(torch.tensor(weights["bias"]))
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).eval()


def torch_loaders(job: Job) -> tuple[Any, Any]:
    """Training examples in one batch, and queries in another."""
    from torch.utils.data import DataLoader, TensorDataset  # pyright: ignore[reportMissingImports]

    train, queries = torch_arrays(job)
    return tuple(DataLoader(TensorDataset(*part), batch_size=len(part[0])) for part in (train, queries))  # pyright: ignore


def torch_arrays(job: Job) -> tuple[Any, Any]:
    import torch  # pyright: ignore[reportMissingImports]

    return tuple((torch.tensor(x), torch.tensor(y)) for x, y in ((job.x, job.y), (job.query_x, job.query_y)))  # pyright: ignore


def pydvl_cg(job: Job, damping: float) -> Peer:
    """Conjugate gradient on the Hessian, all queries together. (What it calls Gauss–Newton is the empirical Fisher.)"""
    from pydvl.influence.torch import CgInfluence  # pyright: ignore[reportMissingImports]
    from torch.nn.f_si import cross_entropy  # pyright: ignore[reportMissingImports]

    return _pydvl(job, CgInfluence(torch_model(job), cross_entropy, regularization=damping, solve_simultaneously=True))


def pydvl_ekfac(job: Job, damping: float) -> Peer:
    from pydvl.influence.torch import EkfacInfluence  # pyright: ignore[reportMissingImports]

    return _pydvl(job, EkfacInfluence(torch_model(job), update_diagonal=True, hessian_regularization=damping))


def _pydvl(job: Job, method: Any) -> Peer:
    loader, _ = torch_loaders(job)
    train, queries = torch_arrays(job)

    def scores() -> np.ndarray:
        return method.fit(loader).influences(*queries, *train).detach().numpy().T

    return scores


def dattri_explicit(job: Job, damping: float) -> Peer:
    """The inverse of the Hessian itself."""
    import dattri  # noqa: F401  # pyright: ignore[reportMissingImports]

    size = sum(part.size for layer in job.params["layers"].values() for part in layer.values())
    raise MemoryError(f"the Hessian of {size:,} parameters is {4 * size**2 / 2**30:.0f} GiB")


def dattri_cg(job: Job, damping: float) -> Peer:
    """Conjugate gradient on the Hessian, its ten iterations."""
    from dattri.algorithm.influence_function import IFAttributorCG  # pyright: ignore[reportMissingImports]

    return _dattri(job, lambda task, _: IFAttributorCG(task, regularization=damping, max_iter=10))


def dattri_trak(job: Job, damping: float) -> Peer:
    """TRAK of the one trained network, projected to 512 dimensions; its own kind of regularisation, as it comes."""
    from dattri.algorithm.trak import TRAKAttributor  # pyright: ignore[reportMissingImports]

    return _dattri(job, lambda task, probability: TRAKAttributor(task, probability, {"proj_dim": 512}))


def _dattri(job: Job, make: Callable[[Any, Any], Any]) -> Peer:
    import torch  # pyright: ignore[reportMissingImports]
    from dattri.task import AttributionTask  # pyright: ignore[reportMissingImports]
    from torch.nn.f_si import cross_entropy  # pyright: ignore[reportMissingImports]

    model = torch_model(job)

    def outputs(params: Any, data: Any) -> tuple[Any, Any]:
        x, y = data
        single = x.ndim == 1
        x, y = (x[None], y[None]) if single else (x, y)
        return torch.func.functional_call(model, params, x), y

    def loss(params: Any, data: Any) -> Any:
        return cross_entropy(*outputs(params, data))

    def probability(params: Any, data: Any) -> Any:
        return torch.exp(-loss(params, data))

    task = AttributionTask(loss, model, model.state_dict())
    loaders = torch_loaders(job)

    def scores() -> np.ndarray:
        method = make(task, probability)
        method.cache(loaders[0])
        # TRAK keeps the training examples that it was shown, the others want them again.
        wanted = loaders[1:] if type(method).__name__ == "TRAKAttributor" else loaders
        return method.attribute(*wanted).detach().numpy()

    return scores


def kronfluence(job: Job, damping: float) -> Peer:
    """EK-FAC with the true Fisher matrix."""
    import torch  # pyright: ignore[reportMissingImports]
    from kronfluence import Analyzer, ScoreArguments, Task, prepare_model  # pyright: ignore[reportMissingImports]
    from torch.nn.f_si import cross_entropy  # pyright: ignore[reportMissingImports]
    from torch.utils.data import TensorDataset  # pyright: ignore[reportMissingImports]

    class Classification(Task):
        def compute_train_loss(self, batch: Any, model: Any, sample: bool = False) -> Any:
            x, y = batch
            logits = model(x)
            if sample:
                y = torch.multinomial(torch.softmax(logits.detach(), 1), 1).flatten()
            return cross_entropy(logits, y, reduction="sum")

        def compute_measurement(self, batch: Any, model: Any) -> Any:
            return self.compute_train_loss(batch, model)

    task = Classification()
    model = prepare_model(torch_model(job), task)
    train, queries = (TensorDataset(*part) for part in torch_arrays(job))

    def scores() -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            analyser = Analyzer("job", model, task, cpu=True, output_dir=folder, disable_tqdm=True)
            analyser.fit_all_factors("ekfac", train, per_device_batch_size=len(train))
            settings = ScoreArguments(damping_factor=damping)
            analyser.compute_pairwise_scores(
                "scores", "ekfac", queries, train, per_device_query_batch_size=len(queries),
                per_device_train_batch_size=len(train), score_args=settings,
            )  # fmt: skip
            return analyser.load_pairwise_scores("scores")["all_modules"].numpy().T

    return scores
