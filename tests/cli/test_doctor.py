import jax
import pytest

from infojax.cli import _doctor as command
from infojax.cli import main


def report(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as left:
        main(["doctor"])
    return left.value.code, capsys.readouterr().out


def test_a_sound_machine(capsys, monkeypatch):
    code, out = report(capsys, monkeypatch)
    assert code == 0
    for told in (
        jax.__version__,
        "neural-tangents",
        "0.6.5",
        "float64",
        "free memory",
        "threads",
        "digits",
        "cpu",
    ):
        assert told in out, told
    assert out.count("works") >= 2
    assert "fails" not in out


def test_a_release_of_jax_with_known_faults_fails(capsys, monkeypatch):
    monkeypatch.setattr("infojax.sweeps.versions", lambda: {"jax": "0.10.2", "jaxlib": "0.9.2", "flax": None})
    code, out = report(capsys, monkeypatch)
    assert code == 1
    assert "0.10.2, which sums wrongly" in out
    assert "not installed" in out
    assert out.count("fails") == 2


@pytest.mark.parametrize("part", ["versions", "devices", "memory", "float64", "neural_tangents", "data"])
def test_what_is_broken_is_reported_with_the_rest(part, capsys, monkeypatch):
    def broken():
        raise RuntimeError("no [cuda] driver\nfound")

    monkeypatch.setattr(command, f"_{part}", broken)
    code, out = report(capsys, monkeypatch)
    assert code == 1
    assert "RuntimeError: no [cuda] driver found" in out
    assert out.count("fails") == 1
    assert "digits" in out or part == "data"


def test_a_damaged_data_set_is_found(capsys, monkeypatch, tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    (folder / "train-images.npy").write_bytes(b"not an array")
    monkeypatch.setenv("INFOJAX_DATA", str(tmp_path))
    code, out = report(capsys, monkeypatch)
    assert code == 1
    assert "CorruptData" in out
