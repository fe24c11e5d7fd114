"""Calls that can run what is in a file, or write where a file says, are nowhere in the packages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("infojax", "experiments", "paper_figures") for path in (ROOT / folder).rglob("*.py"))
# What a process and the one that it has started say to each other, over pipes: no file.
PIPES = {"infojax/sweeps/run/engines/local_process.py", "infojax/sweeps/run/engines/local_worker.py"}
NEVER = {
    "eval",
    "exec",
    "os.system",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "cloudpickle.load",
    "cloudpickle.loads",
    "dill.load",
    "dill.loads",
    "joblib.load",
    "marshal.loads",
    "shelve.open",
    "torch.load",
    "yaml.load",
    "yaml.unsafe_load",
    "shutil.unpack_archive",
}


def forbidden(source: str) -> Iterator[str]:
    """Each call in it that is not allowed, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in ("pickle", "cloudpickle", "dill", "marshal", "shelve"):
            yield f"line {node.lineno}: from {node.module} import"
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if (
            name in NEVER
            or (name in ("np.load", "numpy.load", "jnp.load") and not _is(given.get("allow_pickle"), False))
            or (_is(given.get("allow_pickle"), True))
            or (name.endswith((".extractall", ".extract")) and "filter" not in given)
            or (name.startswith("subprocess.") and "shell" in given and not _is(given["shell"], False))
        ):
            yield f"line {node.lineno}: {ast.unparse(node)[:80]}"


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize("path", FILES, ids=[path.relative_to(ROOT).as_posix() for path in FILES])
def test_nothing_forbidden_is_called(path):
    found = list(forbidden(path.read_text()))
    if path.relative_to(ROOT).as_posix() in PIPES:
        found = [call for call in found if "pickle.loads(" not in call]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "pickle.load(file)",
        "from pickle import loads",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.savez(path, allow_pickle=True)",
        "eval(text)",
        "tar.extractall(folder)",
        "subprocess.run(command, shell=True)",
        "torch.load(path, weights_only=True)",
    ],
)
def test_what_is_forbidden_is_found(source):
    assert len(list(forbidden(source))) == 1


def test_what_is_allowed_is_not_found():
    assert (
        list(forbidden("np.load(path, allow_pickle=False); tar.extractall(a, filter='data'); ast.literal_eval(a)"))
        == []
    )
