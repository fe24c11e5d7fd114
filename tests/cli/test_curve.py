import numpy as np
import polars as pl
import pytest
from PIL import Image

from infojax.cli import main
from infojax.scaling import keep_all, keep_hard, ridge_law

QUICK = ("--dimension", "20", "--repeats", "3", "--simulate", "3")


@pytest.fixture
def curve(tmp_path, monkeypatch, capsys):
    """curve(*args) → (exit code, table, what was printed); writes to tmp_path/new/out.*"""
    monkeypatch.setenv("COLUMNS", "200")
    out = tmp_path / "new" / "out.v1"

    def call(*args):
        with pytest.raises(SystemExit) as left:
            main(["curve", *args, "--out", str(out)])
        parquet = out.with_name("out.v1.parquet")
        return left.value.code, pl.read_parquet(parquet) if parquet.exists() else None, capsys.readouterr()

    return call


def test_writes_the_law_over_a_simulation(curve, tmp_path):
    code, table, printed = curve(*QUICK, "--rules", "hard", "all", "--start", "0.2", "--ratio", "0.5", "--ridge", "0.1")
    assert code == 0
    files = {file.name: file for file in (tmp_path / "new").iterdir()}
    assert set(files) == {f"out.v1.{ending}" for ending in ("pdf", "png", "csv", "parquet")}
    assert all(str(file) in printed.out for file in files.values())
    assert pl.read_csv(files["out.v1.csv"]).shape == table.shape
    assert files["out.v1.pdf"].read_bytes().startswith(b"%PDF")
    with Image.open(files["out.v1.png"]) as image:
        assert len(np.unique(np.asarray(image.convert("L")))) > 10

    simulated, law = table.filter(pl.col("error").is_not_null()), table.filter(pl.col("error").is_null())
    assert simulated.height == 2 * 3
    np.testing.assert_allclose(simulated["x"], [0.2, 0.6, 1.0] * 2)
    hard, whole = law.filter(curve="hard"), law.filter(curve="all")
    expected = ridge_law(keep_hard(hard["x"].to_numpy()), pruner=1.0, ratio=0.5, ridge=0.1).error
    np.testing.assert_allclose(hard["error_law"], expected, rtol=1e-12)
    np.testing.assert_allclose(
        whole["error_law"], ridge_law(keep_all(), pruner=1.0, ratio=0.5, ridge=0.1).error, rtol=1e-12
    )


@pytest.mark.parametrize("over", ["kept", "pruner", "ratio", "ridge"])
@pytest.mark.parametrize("quantity", ["accuracy", "mse"])
def test_every_axis_alone(curve, over, quantity):
    code, table, _ = curve("--over", over, "--quantity", quantity, "--simulate", "0", "--rules", "easy")
    assert code == 0
    np.testing.assert_array_equal(table["x"], table[over])
    assert table["error_law"].is_finite().all()
    assert "error" not in table.columns


def test_labels_of_a_bad_generator(curve):
    generator = ("--generator", "0.6", "--pruner", "0.9", "--pruner-generator", "0.5", "--label-aware")
    code, table, _ = curve(*generator, "--simulate", "0", "--rules", "hard")
    assert code == 0
    expected = ridge_law(
        keep_hard(table["x"].to_numpy()),
        pruner=0.9,
        ratio=0.35,
        ridge=1e-2,
        generator=0.6,
        pruner_generator=0.5,
        label_aware=True,
    )
    np.testing.assert_allclose(table["error_law"], expected.error, rtol=1e-12)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--pruner", "1.5"), "pruner=1.5 is not allowed"),
        (("--over", "kept", "--stop", "1.5"), "kept fraction p is"),
        (("--start", "0.8", "--stop", "0.2"), "--start must be below --stop"),
        (("--over", "ridge", "--start", "0"), "must begin above 0"),
        (("--simulate", "1"), "2 or more, or 0 for none"),
        (("--generator", "0.5"), "give --pruner-generator"),
        (("--rules",), "no rule was given"),
        (("--dimension", "2"), "at least 3 dimensions"),
    ],
)
def test_refusals_are_one_line(curve, args, says):
    code, table, printed = curve(*args)
    assert code == 2
    assert table is None
    assert says in printed.err
    assert printed.err.count("\n") == 1


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as left:
        main(["curve", "--out", str(tmp_path / "file" / "curve")])
    assert left.value.code == 2
    assert "choose another --out" in capsys.readouterr().err
