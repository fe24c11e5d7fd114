"""Pretrained networks: architectures against plain NumPy on small made-up weights, the real ones against PyTorch."""

import importlib
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.data import Dataset
from infojax.errors import CorruptData, DataNotFound, InvalidInput
from infojax.models import cnn, pretrained
from infojax.models.pretrained_networks import cnn_drawings, efficientnet_lite0, resnet50

# The name in infojax.models is the function, which has the name of its module.
module = importlib.import_module("infojax.models.pretrained_networks.pretrained")


def convolve(x, kernel, stride=1, padding="same", groups=1):
    """Loops over output pixels; "same" as TensorFlow has it: the odd row of zeros is below."""
    size, outputs = kernel.shape[0], kernel.shape[3]
    height = x.shape[1]
    rows = -(-height // stride)
    total = max((rows - 1) * stride + size - height, 0) if padding == "same" else 2 * padding
    x = np.pad(x, ((0, 0), *[(total // 2, total - total // 2)] * 2, (0, 0)))
    rows = (x.shape[1] - size) // stride + 1
    y = np.empty((len(x), rows, rows, outputs))
    each, made = x.shape[3] // groups, outputs // groups
    for i in range(rows):
        for j in range(rows):
            seen = x[:, i * stride : i * stride + size, j * stride : j * stride + size]
            for g in range(groups):
                part = seen[..., g * each : (g + 1) * each]
                y[:, i, j, g * made : (g + 1) * made] = np.tensordot(part, kernel[..., g * made : (g + 1) * made], 3)
    return y


def made_up(shapes):
    random = np.random.default_rng(0)
    positive = ("gamma", "moving_variance", "running_var")
    return {
        name: random.uniform(0.5, 1.5, shape) if name.endswith(positive) else 0.5 * random.normal(size=shape)
        for name, shape in shapes.items()
    }


def images(size):
    return np.random.default_rng(1).uniform(size=(2, size, size, 3))


def agree(body, x, expected):
    with float64():
        got = np.asarray(body.features(body.layers, body.statistics, jnp.asarray(x)))
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_resnet_is_kerass(monkeypatch):
    monkeypatch.setattr(resnet50, "_STAGES", {2: "ab", 3: "a"})
    plan = {"2a": (4, 2, 5, 1), "2b": (5, 2, 5, 1), "3a": (5, 3, 6, 2)}  # channels in, inside, out; stride
    shapes = {"fc1000/kernel": (6, 9), "fc1000/bias": (9,)}

    def layer(name, norm, *shape):
        shapes.update({f"{name}/kernel": shape, f"{name}/bias": shape[3:]})
        shapes.update({f"{norm}/{part}": shape[3:] for part in ("gamma", "beta", "moving_mean", "moving_variance")})

    layer("conv1", "bn_conv1", 7, 7, 3, 4)
    for block, (inputs, inside, outputs, _) in plan.items():
        layer(f"res{block}_branch2a", f"bn{block}_branch2a", 1, 1, inputs, inside)
        layer(f"res{block}_branch2b", f"bn{block}_branch2b", 3, 3, inside, inside)
        layer(f"res{block}_branch2c", f"bn{block}_branch2c", 1, 1, inside, outputs)
        if block.endswith("a"):
            layer(f"res{block}_branch1", f"bn{block}_branch1", 1, 1, inputs, outputs)
    w = made_up(shapes)

    def unit(x, name, norm, **how):
        y = convolve(x, w[f"{name}/kernel"], **how) + w[f"{name}/bias"]
        y = (y - w[f"{norm}/moving_mean"]) / np.sqrt(w[f"{norm}/moving_variance"] + 1e-3)
        return y * w[f"{norm}/gamma"] + w[f"{norm}/beta"]

    x = images(33)
    y = np.maximum(unit(255 * x[..., ::-1] - [103.939, 116.779, 123.68], "conv1", "bn_conv1", stride=2, padding=3), 0)
    y = np.pad(y, ((0, 0), (1, 1), (1, 1), (0, 0)))
    size = (y.shape[1] - 3) // 2 + 1
    y = np.array([[y[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max((1, 2)) for j in range(size)] for i in range(size)])
    y = y.transpose(2, 0, 1, 3)
    for block, (*_, stride) in plan.items():

        def branch(x, which, stride=1, block=block):
            return unit(x, f"res{block}_branch{which}", f"bn{block}_branch{which}", stride=stride)

        inside = np.maximum(branch(y, "2a", stride), 0)
        inside = branch(np.maximum(branch(inside, "2b"), 0), "2c")
        y = np.maximum(inside + (branch(y, "1", stride) if block.endswith("a") else y), 0)
    body = resnet50.body(w)
    agree(body, x, y.mean((1, 2)))
    assert body.head["kernel"].shape == (6, 9)
    assert set(body.statistics["bn_conv1"]) == {"mean", "variance"}


def test_efficientnet_lite_is_its_papers(monkeypatch):
    plan = [(1, 4, 3, 1), (2, 5, 5, 2), (2, 5, 3, 1)]  # expansion, channels out, kernel, stride
    monkeypatch.setattr(efficientnet_lite0, "_STRIDES", tuple(stride for *_, stride in plan))
    shapes = {"_fc.weight": (9, 7), "_fc.bias": (9,)}

    def layer(name, norm, *shape):
        shapes[f"{name}.weight"] = shape
        shapes.update({f"{norm}.{part}": shape[:1] for part in ("weight", "bias", "running_mean", "running_var")})
        shapes[f"{norm}.num_batches_tracked"] = ()

    layer("_conv_stem", "_bn0", 4, 3, 3, 3)
    channels = 4
    for number, (expansion, outputs, size, _) in enumerate(plan):
        at, inside = f"_blocks.{number}.", channels * expansion
        if expansion > 1:
            layer(f"{at}_expand_conv", f"{at}_bn0", inside, channels, 1, 1)
        layer(f"{at}_depthwise_conv", f"{at}_bn1", inside, 1, size, size)
        layer(f"{at}_project_conv", f"{at}_bn2", outputs, inside, 1, 1)
        channels = outputs
    layer("_conv_head", "_bn1", 7, channels, 1, 1)
    w = made_up(shapes)

    def unit(x, name, norm, **how):
        y = convolve(x, w[f"{name}.weight"].transpose(2, 3, 1, 0), **how)
        y = (y - w[f"{norm}.running_mean"]) / np.sqrt(w[f"{norm}.running_var"] + 1e-3)
        return y * w[f"{norm}.weight"] + w[f"{norm}.bias"]

    def relu6(x):
        return np.clip(x, 0, 6)

    x = images(17)
    y = relu6(unit((255 * x - 127) / 128, "_conv_stem", "_bn0", stride=2))
    for number, (expansion, outputs, _, stride) in enumerate(plan):
        at, inside = f"_blocks.{number}.", y
        if expansion > 1:
            inside = relu6(unit(inside, f"{at}_expand_conv", f"{at}_bn0"))
        inside = relu6(unit(inside, f"{at}_depthwise_conv", f"{at}_bn1", stride=stride, groups=inside.shape[3]))
        inside = unit(inside, f"{at}_project_conv", f"{at}_bn2")
        y = inside + y if stride == 1 and y.shape[3] == outputs else inside
    y = relu6(unit(y, "_conv_head", "_bn1"))
    body = efficientnet_lite0.body(w)
    agree(body, x, y.mean((1, 2)))
    np.testing.assert_array_equal(body.head["kernel"], w["_fc.weight"].T)


@pytest.fixture
def drawings(monkeypatch):
    """The network for drawings, with random weights in place of trained ones."""
    random = np.random.default_rng(5)
    shapes = jax.eval_shape(lambda key: cnn(3).init(key, (28, 28, 1)), jax.random.key(0))
    made = jax.tree.map(lambda leaf: jnp.asarray(random.uniform(-0.1, 0.1, leaf.shape), jnp.float32), shapes)
    ordered = [layer for _, layer in sorted(made["layers"].items())]
    layers = {f"layer{number}": layer for number, layer in enumerate(ordered[:-1])}
    body = module.Body(cnn_drawings.features, layers, {}, ordered[-1], channels=1, size=28)
    monkeypatch.setattr(module, "_body", lambda name: body)
    return made


def test_the_network_for_drawings_is_the_papers(drawings):
    network, params = pretrained("cnn-drawings", None)
    x = np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype(np.float32)
    np.testing.assert_allclose(network.apply(params, x), cnn(3).apply(drawings, x), rtol=1e-5, atol=1e-6)


def test_new_last_layer(drawings):
    network, params = pretrained("cnn-drawings", outputs=2, key=jax.random.key(1))
    again = network.init(jax.random.key(1), (28, 28, 1))
    jax.tree.map(np.testing.assert_array_equal, params, again)
    other = network.init(jax.random.key(2), (40, 36, 1))
    same = jax.tree.map(lambda a, b: bool((a == b).all()), params, other)
    assert not any(same.pop("head").values())
    assert all(jax.tree.leaves(same))
    bound = 256**-0.5
    assert params["head"]["kernel"].shape == (256, 2)
    assert 0.9 * bound < np.abs(params["head"]["kernel"]).max() <= bound
    assert np.abs(params["head"]["bias"]).max() <= bound


def test_images_of_other_sizes(drawings):
    network, params = pretrained("cnn-drawings", 1, jax.random.key(1))
    x = np.random.default_rng(0).uniform(size=(2, 14, 14, 1)).astype(np.float32)
    larger = jax.image.resize(x, (2, 28, 28, 1), "bilinear")
    np.testing.assert_allclose(network.apply(params, x), network.apply(params, larger), rtol=1e-6)


def test_refuses(drawings):
    key = jax.random.key(0)
    with pytest.raises(InvalidInput, match="no pretrained network 'vgg'"):
        pretrained("vgg", 1, key)
    for outputs, given in ((0, key), (1, None)):
        with pytest.raises(InvalidInput, match="needs outputs ≥ 1 and a key"):
            pretrained("cnn-drawings", outputs, given)
    with pytest.raises(InvalidInput, match="size=20"):
        pretrained("cnn-drawings", 1, key, size=20)
    network, params = pretrained("cnn-drawings", 1, key)
    for x in (np.ones((2, 28, 28, 3), np.float32), np.ones((28, 28, 1), np.float32), np.ones((2, 28, 28, 1), np.uint8)):
        with pytest.raises(InvalidInput, match=r"takes images \(b, height, width, 1\)"):
            network.apply(params, x)


def test_trained_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("INFOJAX_DATA", str(tmp_path))
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 12)
    # The kinds are told apart by which half is bright.
    bright = (np.arange(28) < 14)[None] == (labels == 0)[:, None]
    x = (random.uniform(0, 0.2, (24, 28, 28, 1)) + 0.7 * bright[:, :, None, None]).astype(np.float32)
    recipe = {"epochs": 12, "batch": 10, "learning_rate": 2e-3, "seed": 0, "held out of each kind": 2}
    monkeypatch.setattr(cnn_drawings, "RECIPE", recipe)
    monkeypatch.setattr(cnn_drawings, "load", lambda name: Dataset(x, labels, ("a", "b"), name))
    folder = tmp_path / "cnn-drawings"
    made = cnn_drawings.body()
    assert json.loads((folder / "manifest.json").read_text())["accuracy on held-out drawings"]["top 1"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["cnn-drawings"]

    def must_not_train(*_, **__):
        raise AssertionError("trained again")

    with monkeypatch.context() as patch:
        patch.setattr(cnn_drawings, "train", must_not_train)
        jax.tree.map(np.testing.assert_array_equal, made.layers, cnn_drawings.body().layers)
        stored = folder / "weights.npz"
        whole = stored.read_bytes()
        stored.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
        with pytest.raises(CorruptData, match="make cnn-drawings again"):
            cnn_drawings.body()
        stored.write_bytes(whole)
        monkeypatch.setattr(cnn_drawings, "RECIPE", recipe | {"seed": 1})
        with pytest.raises(AssertionError, match="trained again"):
            cnn_drawings.body()


def test_without_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("INFOJAX_DATA", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    module._body.cache_clear()
    for name, needed in (("resnet50", "resnet50"), ("cnn-drawings", "quickdraw")):
        with pytest.raises(DataNotFound, match=f"infojax data fetch {needed}"):
            pretrained(name, 1, jax.random.key(0))


# The five largest logits of this picture, by PyTorch: for ResNet-50 along the graph in the package's own model.json.
LOGITS = {
    "resnet50": ([971, 723, 645, 800, 616], [29.6620, 25.6061, 24.8875, 16.7776, 16.7581]),
    "efficientnet-lite0": ([645, 522, 696, 644, 954], [10.9272, 10.0235, 9.8921, 9.8270, 9.0511]),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.fetched(name)) for name in LOGITS])
def test_the_real_weights(name):
    across = np.arange(96) / 95
    down = 9 * np.outer(across + 0.3, np.ones(96))
    x = np.stack([0.5 + 0.5 * np.sin(down + 4 * c * across[None] ** 2 + c) for c in range(3)], axis=-1)[None]
    network, params = pretrained(name, outputs=None, size=96)
    logits = np.asarray(jax.jit(network.apply)(params, x.astype(np.float32)))[0]
    classes, values = LOGITS[name]
    assert np.argsort(-logits)[:5].tolist() == classes
    np.testing.assert_allclose(logits[classes], values, atol=1e-3)
