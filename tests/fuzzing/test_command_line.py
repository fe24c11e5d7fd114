"""The command line with words put together at random: a message and exit code 2, and never a traceback."""

import io
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infojax.cli import COMMANDS, main
from tests.fuzzing.damage import OUTCOMES

NUMBERS = ("nan", "inf", "-1", "0", "1e300", "1e-300", "99999999999999999999", "1.5", "", "a", "1,2", "None")
# fmt: off
OPTIONS = {
    "score": (
        "--train", "--validation", "--steps", "--learning-rate", "--time", "--decay", "--budget", "--hidden", "--seed",
        "--classes", "--network", "--convention", "--baseline", "--group-by", "--suspects", "--suspects-by", "--size",
    ),
    "curve": (
        "--law", "--preset", "--over", "--curves", "--rules", "--quantity", "--start", "--stop", "--scale", "--ratio",
        "--simulate", "--dimension", "--repeats", "--ridge", "--pruner", "--kept", "--seed", "--labels", "--hold",
    ),
    "data": ("--root",),
    "results": ("--root", "--store", "--format"),
    "plan": ("--examples", "--validation", "--outputs", "--hidden", "--device", "--memory", "--subset", "--steps"),
    "sweep": ("--over", "--engine", "--seeds", "--random", "--retries", "--workers"),
}
# fmt: on
WORDS = st.sampled_from(
    (*NUMBERS, "digits", "nothing.npz", "/dev/null", "~nobody/x", "x" * 300, "--", "--nonsense", "list", "show")
)
GIVEN = [name for name in OPTIONS if name in COMMANDS]


def code(arguments: list[str]) -> int:
    """The exit code; fails where there was a traceback, or a refusal without a message."""
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(said), pytest.raises(SystemExit) as left:
        main(arguments)
    number = left.value.code or 0
    OUTCOMES[f"exit {number}"] += 1
    assert "Traceback" not in said.getvalue()
    assert said.getvalue().strip(), arguments
    assert isinstance(number, int)
    return number


@pytest.mark.parametrize("command", GIVEN)
@given(st.data())
def test_malformed_arguments(command, data):
    options = st.tuples(st.sampled_from(OPTIONS[command]), WORDS)
    words = [word for pair in data.draw(st.lists(options, min_size=1, max_size=3)) for word in pair]
    words += data.draw(st.lists(WORDS, max_size=2))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "file").write_text("")
        # The file is no folder: whatever is well formed is refused before anything is computed.
        out = [f"--out={folder}/file/x"] if command in ("score", "curve") else ["--no-such-option"]
        assert code([command, *words, *out]) == 2


@given(st.lists(WORDS, min_size=1, max_size=3))
@example(["sc\0re"])
@example(["\udcff"])
def test_words_that_are_no_command(words):
    assert code(["nonsense", *words]) == 2


REFUSED = (
    ["score", "digits", "--train", "0"],
    ["score", "digits", "--train", "-5"],
    ["score", "digits", "--train", "99999999999999999999"],
    ["score", "digits", "--validation", "0"],
    ["score", "digits", "--hidden", "0"],
    ["score", "digits", "--hidden", "-1"],
    ["score", "digits", "--seed", "-1"],
    ["score", "digits", "--seed", "99999999999999999999"],
    ["score", "digits", "--steps", "0"],
    ["score", "digits", "--learning-rate", "nan"],
    ["score", "digits", "--time", "inf"],
    ["score", "digits", "--budget", "0"],
    ["score", "digits", "--budget", "1e308"],
    ["score", "digits", "--decay", "nan"],
    ["score", "digits", "--decay", "1e300"],
    ["score", "digits", "--suspects", "0"],
    ["score", "digits", "--classes", ""],
    ["score", "digits", "--classes", "4,4"],
    ["score", "digits", "--group-by", "nothing"],
    ["score", "~nobody-of-this-name/x.npz"],
    ["score", "x" * 5000],
    ["score", "a\0b.npz"],
    ["curve", "--simulate", "-1"],
    ["curve", "--repeats", "0"],
    ["curve", "--dimension", "0"],
    ["curve", "--seed", "-1", "--simulate", "1"],
    ["curve", "--start", "nan"],
    ["curve", "--start", "2", "--stop", "1"],
    ["curve", "--stop", "inf"],
    ["curve", "--ratio", "nan"],
    ["curve", "--ratio", "1e300"],
    ["curve", "--curves", "ridge="],
    ["curve", "--curves", "=1"],
    ["curve", "--curves", "ridge=nan"],
    ["curve", "--over", "nothing"],
    ["data", "fetch", "nothing"],
    ["data", "list", "--root", "x" * 5000, "more"],
)


@pytest.mark.parametrize("arguments", REFUSED, ids=[" ".join(words)[:60].replace("\0", "0") for words in REFUSED])
def test_refused(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert code(arguments) == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
