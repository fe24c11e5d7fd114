import jax
import numpy as np
import polars as pl
import pytest
from PIL import Image

from infojax import scaling
from infojax.cli import main
from infojax.scaling import RidgeProblem, keep_all, keep_easy, keep_hard, ridge_law

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
    expected = ridge_law(RidgeProblem(keep_hard(hard["x"].to_numpy()), pruner=1.0, ratio=0.5, ridge=0.1)).error
    np.testing.assert_allclose(hard["error_law"], expected, rtol=1e-12)
    np.testing.assert_allclose(
        whole["error_law"], ridge_law(RidgeProblem(keep_all(), pruner=1.0, ratio=0.5, ridge=0.1)).error, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("over", "quantity"), [("kept", "accuracy"), ("pruner", "overlap"), ("ratio", "mse"), ("ridge", "norm")]
)
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
        RidgeProblem(
            keep_hard(table["x"].to_numpy()),
            pruner=0.9,
            ratio=0.35,
            ridge=1e-2,
            generator=0.6,
            pruner_generator=0.5,
            label_aware=True,
        )
    )
    np.testing.assert_allclose(table["error_law"], expected.error, rtol=1e-12)


def test_a_ratio_of_the_kept(curve):
    code, table, _ = curve("--hold", "kept", "--over", "ratio", "--curves", "kept=0.2,1", "--simulate", "0")
    assert code == 0
    assert table["curve"].unique(maintain_order=True).to_list() == [
        f"{rule}, kept={p}" for p in ("0.2", "1") for rule in ("hard", "easy")
    ]
    easy = table.filter(curve="easy, kept=0.2")
    expected = ridge_law(
        RidgeProblem(keep_easy(0.2), pruner=1.0, ratio=0.2 * easy["x"].to_numpy(), ridge=0.2 * 1e-2)
    ).error
    np.testing.assert_allclose(easy["error_law"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param(
            "two-stage --second-ratio 0.5 --rules hard",
            lambda x: scaling.two_stage_law(
                scaling.TwoStageProblem(keep_hard(x), first_ratio=0.33, second_ratio=0.5, ridge=0.05)
            ),
            marks=pytest.mark.slow,
        ),
        (
            "perceptron --over kept --rules random --hold kept",
            lambda x: scaling.perceptron_law(scaling.PerceptronProblem(keep_hard(1.0), alpha=np.full_like(x, 5.0))),
        ),
        (
            "mixture --over keep-wrong",
            lambda x: scaling.mixture_law(
                scaling.MixtureProblem(
                    ratio=0.1, signal=1.0, flips=0.4, keep_correct=0.8, keep_wrong=x, real_fraction=0.0, ridge=0.1
                )
            ),
        ),
        (
            "anisotropic --exponent 0 --pruner 0.7 --rules hard",
            lambda x: ridge_law(RidgeProblem(keep_hard(x), pruner=0.7, ratio=0.35, ridge=1e-2)),
        ),
    ],
)
def test_other_laws(curve, args, expected):
    code, table, _ = curve("--law", *args.split(), *QUICK, "--start", "0.3", "--stop", "0.9", "--simulate", "2")
    assert code == 0
    np.testing.assert_allclose(table["error_law"], expected(table["x"].to_numpy()).error, rtol=1e-9)
    simulated = table.filter(pl.col("error").is_not_null())
    np.testing.assert_allclose(simulated["x"], [0.3, 0.9])
    assert (simulated["error_stderr"] > 0).all()


def test_generations_of_one_chain(curve):
    code, table, _ = curve("--law", "relabelling", "--curves", "label_aware=yes", "--rules", "hard", *QUICK)
    assert code == 0
    assert table["curve"].unique().to_list() == ["hard, label_aware=yes"]
    assert table["x"].to_list() == 2 * list(range(1, 11))
    setting = {"generations": 10, "pruner": 0.9, "ratio": 0.2, "ridge": 1e-2, "label_aware": True}
    law = scaling.relabelling_law(scaling.RelabellingProblem(keep_hard(0.5), **setting))
    np.testing.assert_allclose(table["error_law"], np.tile(law.error, 2), rtol=1e-9)
    size = {"dimension": 20, "repeats": 3, "key": jax.random.fold_in(jax.random.key(0), 0)}
    found = scaling.simulate_relabelling(scaling.RelabellingProblem(keep_hard(0.5), **setting), **size)
    np.testing.assert_allclose(table["error"].drop_nulls(), found.mean.error, rtol=1e-9)


@pytest.mark.slow
def test_twenty_rounds_of_practice_keep_their_digits(curve):
    """Values of a recursion in sixty digits; float64 lost all of them here."""
    code, table, _ = curve("--preset", "practice-linear", "--stop", "20", "--simulate", "0")
    assert code == 0
    hard = table.filter(pl.col("curve").str.starts_with("hard") & (pl.col("kept") == 0.05)).sort("x")
    np.testing.assert_allclose(hard["error_law"].to_numpy()[[15, 20]], [0.015017749, 0.012119202], rtol=1e-6)
    assert (table["error_law"] > 0).all()


@pytest.mark.slow
def test_rounds_of_practice_begin_at_none(curve):
    code, table, _ = curve("--law", "practice", "--rules", "hard", "--stop", "3", *QUICK)
    assert code == 0
    assert table["x"].to_list() == 2 * [0, 1, 2, 3]
    setting = {"first_ratio": 0.4, "added_ratio": 0.67, "rounds": 3, "ridge": 0.05}
    law = scaling.practice_law(scaling.PracticeProblem(keep_hard(0.2), **setting))
    np.testing.assert_allclose(table["error_law"], np.tile(law.error, 2), rtol=1e-9)
    size = {"dimension": 20, "repeats": 3, "key": jax.random.fold_in(jax.random.key(0), 0)}
    found = scaling.simulate_practice(scaling.PracticeProblem(keep_hard(0.2), **setting), **size)
    np.testing.assert_allclose(table["error"].drop_nulls(), found.mean.error, rtol=1e-9)


@pytest.mark.slow
def test_the_best_fraction_is_marked(curve):
    code, table, printed = curve("--optimal", "--rules", "hard", "--simulate", "0", "--pruner", "0.9", "--ratio", "0.1")
    assert code == 0
    mark, drawn = table.filter(pl.col("best")), table.filter(pl.col("best").is_null())
    least = drawn.sort("error_law")[0]
    assert mark["error_law"].item() <= least["error_law"].item() < 1.001 * mark["error_law"].item()
    assert abs(mark["kept"].item() - least["kept"].item()) < 0.005
    rows = [line.split("│")[1:6] for line in printed.out.splitlines() if "│" in line]
    assert [[cell.strip() for cell in row][:1] for row in rows] == [["hard"], ["all"]] * 2
    assert f"{mark['error_law'].item():.5f}" in rows[0][3]
    assert rows[0][4].strip() == "best" != rows[1][4].strip()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--pruner", "1.5"), "pruner=1.5 is not allowed"),
        (("--over", "kept", "--stop", "1.5"), "kept fraction p is"),
        (("--start", "0.8", "--stop", "0.2"), "--start must be below --stop"),
        (("--over", "ridge", "--start", "0"), "must begin above 0"),
        (("--simulate", "1"), "2 or more, or 0 for none"),
        (("--generator", "0.5"), "pruner_generator="),
        (("--rules",), "no rule was given"),
        (("--dimension", "2"), "at least 3 dimensions"),
        (("--law", "mixture", "--pruner", "1"), "--pruner is not an option of the law mixture, but of ridge"),
        (("--law", "relabelling", "--generations", "2.5", "--over", "kept"), "must be a whole number"),
        (("--law", "practice", "--start", "-1"), "give --start and --stop, 0 to 10000"),
        (("--law", "perceptron", "--angle", "100"), "in degrees, in [0, 90]"),
        (("--optimal", "--over", "ratio"), "give --over kept"),
        (("--optimal", "--flips", "0.1"), "leave out --labels and --flips"),
        (("--noise", "0.5"), "is for labels='linear'"),
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
    said = " ".join(capsys.readouterr().err.split())
    file = tmp_path / "file"
    assert f"--out {file / 'curve'}: {file} is no folder" in said
    assert "give another" in said


def test_a_full_disk_loses_no_more_than_what_does_not_fit(curve, tmp_path, monkeypatch):
    def fails(*_):
        try:
            raise OSError(28, "No space left on device")
        finally:
            raise AttributeError("closed")  # as matplotlib does

    monkeypatch.setattr("infojax.cli.curve.report._save", fails)
    code, table, printed = curve(*QUICK)
    assert code == 2
    assert table is not None
    assert "out.v1.pdf: No space left on device; out.v1.png: No space left on device" in printed.err
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["out.v1.csv", "out.v1.parquet"]


def test_a_bug_while_a_file_is_written_is_no_full_disk(tmp_path):
    from infojax.cli.screen.keeping import Keeping

    def bug(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Keeping(tmp_path).write(bug, "a")


def test_a_folder_that_takes_no_file_is_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as left:
        main(["curve", "--out", str(tmp_path / "file" / "out")])
    assert left.value.code == 2
    assert "is no folder that can be written to" in capsys.readouterr().err
