"""Reference values of neural-tangents 0.6.5: what is computed, and the script that writes it down.

`CASES` maps a name to a function of the library, which gives a tree of arrays. Run as a script under the unmodified
library on the JAX that it was made for (README.md says how), this writes all of them to `neural_tangents_0.6.5.npz`;
the tests call the same functions with the library that comes through infojax's door and hold one against the other.

Inputs and weights come from NumPy's generators, so that they do not depend on how a version of JAX draws bits.
This file keeps to what both Python and JAX of then and of now understand.
"""

import zlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

VALUES = Path(__file__).parent / "neural_tangents_0.6.5.npz"


def draw(name, *shape):
    return np.random.default_rng(zlib.crc32(name.encode())).normal(size=shape)


def draw_params(name, init, shape):
    tree = jax.eval_shape(lambda key: init(key, shape)[1], jax.random.PRNGKey(0))
    leaves, structure = jax.tree_util.tree_flatten(tree)
    drawn = [jnp.asarray(draw(f"{name}/{i}", *leaf.shape)) for i, leaf in enumerate(leaves)]
    return jax.tree_util.tree_unflatten(structure, drawn)


# Networks: each gives (init, apply, kernel) and the shape of one example.


def dense(stax, outputs=3, activation="Erf", parameterization="ntk", **settings):
    layer = {"W_std": 1.5, "b_std": 0.3, "parameterization": parameterization, **settings}
    nonlinearity = getattr(stax, activation)()
    hidden = [stax.Dense(6, **layer), nonlinearity, stax.Dense(5, **layer), nonlinearity]
    return stax.serial(*hidden, stax.Dense(outputs, **layer)), (4,)


def conv(stax, outputs=3, parameterization="ntk", pool="AvgPool", readout="Flatten"):
    layer = {"W_std": 1.4, "b_std": 0.2, "parameterization": parameterization}
    return stax.serial(
        stax.Conv(4, (3, 3), padding="SAME", **layer),
        stax.Relu(),
        getattr(stax, pool)((2, 2), strides=(2, 2)),
        stax.Conv(3, (2, 2), strides=(1, 1), padding="VALID", **layer),
        stax.Erf(),
        getattr(stax, readout)(),
        stax.Dense(outputs, **layer),
    ), (6, 6, 2)


def residual(stax, outputs=3, parameterization="ntk"):
    layer = {"W_std": 1.3, "b_std": 0.1, "parameterization": parameterization}
    branch = stax.serial(stax.Relu(), stax.Dense(5, **layer), stax.Erf(), stax.Dense(5, **layer))
    block = stax.serial(stax.FanOut(2), stax.parallel(branch, stax.Identity()), stax.FanInSum())
    return stax.serial(stax.Dense(5, **layer), block, block, stax.Relu(), stax.Dense(outputs, **layer)), (4,)


def residual_conv(stax, outputs=3, parameterization="ntk"):
    layer = {"W_std": 1.3, "b_std": 0.1, "padding": "SAME", "parameterization": parameterization}
    branch = stax.serial(stax.Relu(), stax.Conv(4, (3, 3), **layer), stax.Relu(), stax.Conv(4, (3, 3), **layer))
    shortcut = stax.Conv(4, (1, 1), **layer)
    block = stax.serial(stax.FanOut(2), stax.parallel(branch, shortcut), stax.FanInSum())
    head = stax.Dense(outputs, W_std=1.3, b_std=0.1, parameterization=parameterization)
    return stax.serial(stax.Conv(3, (3, 3), **layer), block, stax.GlobalAvgPool(), head), (4, 4, 2)


def examples(name, shape):
    return draw(f"{name}/first", 3, *shape), draw(f"{name}/second", 2, *shape)


def infinite(build, **settings):
    """NNGP and NTK, rectangular and symmetric."""

    def case(nt):
        (_, _, kernel), shape = build(nt.stax, **settings)
        first, second = examples(build.__name__, shape)
        kernel = jax.jit(kernel, static_argnums=2)
        return {
            "rectangular": tuple(kernel(first, second, ("nngp", "ntk"))),
            "symmetric": tuple(kernel(first, None, ("nngp", "ntk"))),
        }

    return case


def empirical(build, implementation, trace=(), diagonal=(), **settings):
    """The empirical NTK of one implementation (1 Jacobians, 2 NTK-vector products, 3 structured derivatives)."""

    def case(nt):
        (init, apply, _), shape = build(nt.stax, **settings)
        first, second = examples(build.__name__, shape)
        params = draw_params(build.__name__, init, (1, *shape))
        axes = {"trace_axes": trace, "diagonal_axes": diagonal, "vmap_axes": 0}
        ntk = jax.jit(nt.empirical_ntk_fn(apply, **axes, implementation=implementation))
        values = {"rectangular": ntk(first, second, params)}
        if build is dense:
            values["symmetric"] = ntk(first, None, params)
        return values

    return case


def unbatched_structured(nt):
    """Structured derivatives without `vmap_axes`: the batch axis is part of the structure."""
    (init, apply, _), shape = conv(nt.stax)
    first, second = examples("conv", shape)
    params = draw_params("conv", init, (1, *shape))
    return jax.jit(nt.empirical_ntk_fn(apply, trace_axes=(), implementation=3))(first, second, params)


def other_empirical(nt):
    (init, apply, _), shape = dense(nt.stax)
    first, second = examples("dense", shape)
    params = draw_params("dense", init, (1, *shape))
    kernels = jax.jit(nt.empirical_kernel_fn(apply, trace_axes=(), vmap_axes=0), static_argnums=2)
    both = kernels(first, second, ("nngp", "ntk"), params)
    product = nt.empirical_ntk_vp_fn(apply, first, second, params)(draw("vector", 2, 3))
    return {"nngp": both.nngp, "ntk": both.ntk, "vector product": product}


def expansions(nt):
    (init, apply, _), shape = conv(nt.stax)
    first, _ = examples("conv", shape)
    at = draw_params("conv", init, (1, *shape))
    to = jax.tree_util.tree_map(lambda leaf: leaf + 0.1 * np.sin(leaf), at)
    return {
        "linearize": jax.jit(nt.linearize(apply, at))(to, first),
        "second order": jax.jit(nt.taylor_expand(apply, at, 2))(to, first),
        "third order": jax.jit(nt.taylor_expand(apply, at, 3))(to, first),
    }


def batched(nt):
    """Serial batching of an analytic and of an empirical kernel; the second set stays smaller than a batch allows."""
    (init, apply, kernel), shape = dense(nt.stax)
    first, second = draw("batched/first", 4, *shape), draw("batched/second", 2, *shape)
    params = draw_params("dense", init, (1, *shape))
    ntk = nt.empirical_ntk_fn(apply, trace_axes=(), vmap_axes=0)
    return {
        "analytic": tuple(nt.batch(kernel, batch_size=2, device_count=0)(first, second, ("nngp", "ntk"))),
        "symmetric": nt.batch(kernel, batch_size=2, device_count=0)(first, None, "ntk"),
        "empirical": nt.batch(ntk, batch_size=2, device_count=0)(first, second, params),
    }


def regression(nt):
    (_, _, kernel), shape = dense(nt.stax, W_std=1.2)
    train, test = draw("train", 5, *shape), draw("test", 3, *shape)
    return kernel, train, test, draw("targets", 5, 2)


def closed_form_training(nt):
    kernel, train, test, targets = regression(nt)
    train_train, test_train = kernel(train, None, "ntk"), kernel(test, train, "ntk")
    starts = draw("train outputs", 5, 2), draw("test outputs", 3, 2)
    predict = nt.predict.gradient_descent_mse(train_train, targets, learning_rate=0.7, diag_reg=1e-3)
    return {
        "finite": predict(3.0, *starts, test_train),
        "several": predict(np.array([0.5, 20.0]), *starts, test_train),
        "converged": predict(None, *starts, test_train),
    }


def ensemble(nt):
    kernel, train, test, targets = regression(nt)
    predict = nt.predict.gradient_descent_mse_ensemble(kernel, train, targets, learning_rate=0.5, diag_reg=1e-4)
    values = {}
    for label, time in (("finite", 4.0), ("converged", None)):
        for get in ("nngp", "ntk"):
            values[f"{label} {get}"] = tuple(predict(time, test, get, compute_cov=True))
        values[f"{label} train"] = tuple(predict(time, None, ("nngp", "ntk")))
    return values


def gaussian_process(nt):
    kernel, train, test, targets = regression(nt)
    predict = nt.predict.gp_inference(kernel(train, None, ("nngp", "ntk")), targets, diag_reg=1e-3)
    cross, own = kernel(test, train, ("nngp", "ntk")), kernel(test, None, ("nngp", "ntk"))
    return {get: tuple(predict(get, cross, own.nngp)) for get in ("nngp", "ntk")}


def training_by_ode(nt):
    """Gradient flow of any loss, with and without momentum, integrated numerically."""
    kernel, train, test, targets = regression(nt)
    train_train, test_train = kernel(train, None, "ntk"), kernel(test, train, "ntk")
    labels = np.eye(2)[np.argmax(targets, axis=1)]

    def cross_entropy(outputs, y):
        return -jnp.mean(jnp.sum(jax.nn.log_softmax(outputs) * y, axis=1))

    starts = draw("train outputs", 5, 2), draw("test outputs", 3, 2)
    plain = nt.predict.gradient_descent(cross_entropy, train_train, labels, learning_rate=0.3)
    heavy = nt.predict.gradient_descent(cross_entropy, train_train, labels, learning_rate=0.3, momentum=0.9)
    state = heavy(2.0, starts[0], starts[1], test_train)
    return {"plain": plain(5.0, *starts, test_train), "momentum": (state[0], state[1])}


CASES = {
    "infinite/dense ntk": infinite(dense),
    "infinite/dense standard": infinite(dense, parameterization="standard"),
    "infinite/dense relu": infinite(dense, activation="Relu"),
    "infinite/dense gelu": infinite(dense, activation="Gelu"),
    "infinite/conv ntk": infinite(conv),
    "infinite/conv standard": infinite(conv, parameterization="standard"),
    "infinite/conv sum pool": infinite(conv, pool="SumPool"),
    "infinite/conv global pool": infinite(conv, readout="GlobalAvgPool"),
    "infinite/residual ntk": infinite(residual),
    "infinite/residual standard": infinite(residual, parameterization="standard"),
    "infinite/residual conv": infinite(residual_conv),
    "empirical/other": other_empirical,
    "empirical/unbatched structured": unbatched_structured,
    "expansions": expansions,
    "batched": batched,
    "predict/closed form": closed_form_training,
    "predict/ensemble": ensemble,
    "predict/gaussian process": gaussian_process,
    "predict/ode": training_by_ode,
}
for _number, _name in {1: "jacobian", 2: "vector products", 3: "structured"}.items():
    _networks = {
        "dense 1": empirical(dense, _number, outputs=1),
        "dense 3": empirical(dense, _number, outputs=3),
        "relu standard": empirical(dense, _number, activation="Relu", parameterization="standard"),
        "conv 1": empirical(conv, _number, outputs=1),
        "conv 3": empirical(conv, _number, outputs=3),
        "residual 1": empirical(residual, _number, outputs=1),
        "residual 3": empirical(residual, _number, outputs=3),
        "residual conv": empirical(residual_conv, _number),
        "trace": empirical(conv, _number, trace=(-1,)),
        "diagonal": empirical(conv, _number, diagonal=(-1,)),
    }
    CASES.update({f"empirical/{_name} {network}": case for network, case in _networks.items()})


def flat(tree):
    """Leaves by their place in the tree, as NumPy arrays."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def main():
    import neural_tangents as nt

    jax.config.update("jax_enable_x64", True)
    values = {}
    for name, case in CASES.items():
        print(name, flush=True)
        values.update({f"{name}{place}": leaf for place, leaf in flat(case(nt)).items()})
    assert all(value.dtype == np.float64 for value in values.values())
    np.savez_compressed(VALUES, **values)
    print(f"{len(values)} values, {VALUES.stat().st_size} bytes")


if __name__ == "__main__":
    main()
