import json

import pytest

from infojax.cli import main

SMALL = ["plan", "--examples", "2000", "--validation", "100", "--outputs", "1", "--hidden", "16", "--input", "4"]
SMALL += ["--device", "cpu:2"]


def run(capsys, *more):
    with pytest.raises(SystemExit) as left:
        main([*SMALL, *more])
    return left.value.code, *capsys.readouterr()


def test_table_of_routes_and_stages(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    assert "Kernel of 2,000 rows" in out
    for words in ("factor", "products streamed", "chosen", "eigendecomposition", "building kernel", "Assumed:"):
        assert words in out


def test_json_has_what_the_table_has(capsys):
    code, out, _ = run(capsys, "--json")
    made = json.loads(out)
    assert (code, made["chosen"], made["rows"]) == (0, "factor", 2000)
    assert made["fitting"] == ["factor", "products", "products from disk", "products streamed"]
    assert sum(stage["seconds"] for stage in made["routes"][0]["stages"]) == pytest.approx(made["routes"][0]["seconds"])


def test_routes_that_a_full_disk_forbids_are_marked(capsys):
    code, out, _ = run(capsys, "--disk", "0", "--memory", "0.1")
    assert code == 1
    assert out.count("does not fit") == 4
    assert "Nothing fits." in out


DAYS = ["--examples", "20000", "--outputs", "10", "--memory", "10000"]


def test_what_takes_days_is_chosen_by_force_alone(capsys):
    code, out, _ = run(capsys, *DAYS)
    assert code == 2
    assert "Nothing is chosen." in out
    assert "takes too long" in out
    assert "--force chooses it nevertheless" in " ".join(out.split())
    code, out, _ = run(capsys, *DAYS, "--force")
    assert code == 0
    assert "chosen" in out
    assert "takes too long" not in out


def test_what_takes_days_is_not_chosen_for_programs_either(capsys):
    code, out, _ = run(capsys, *DAYS, "--json")
    made = json.loads(out)
    assert (code, made["chosen"]) == (2, None)
    assert made["fitting"]
    assert "Take about" in made["remedy"]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["--device", "abacus"], "abacus"),
        (["--subset", "3000"], "subset is 3000"),
        (["--steps", "10", "--converged"], "exclude each other"),
        (["--hidden", "many"], "--hidden is 'many'"),
        (["--decay", "-1"], "decay is -1"),
    ],
)
def test_bad_input_is_refused(capsys, more, problem):
    code, _, said = run(capsys, *more)
    assert code == 2
    assert problem in said
