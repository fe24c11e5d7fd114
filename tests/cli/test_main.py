import subprocess
import sys

import pytest

import infojax
from infojax.cli import main
from infojax.cli._main import COMMANDS, DATA_COMMANDS
from infojax.cli.screen.exit import exit_code
from infojax.errors import DataNotFound, InvalidInput


def code(*args):
    with pytest.raises(SystemExit) as left:
        main(args)
    return left.value.code


def test_help_names_every_command(capsys):
    for args in ((), ("--help",)):
        assert code(*args) == 0
        out = capsys.readouterr().out
        assert all(command in out for command in ("score", "curve", "data", "doctor"))


def test_help_is_quick_since_it_imports_no_command_and_nothing_that_takes_long():
    program = "import sys; from infojax.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stdout.splitlines()[-1].split())
    assert not {"infojax.cli.score.score", "infojax.cli._data", "infojax.sweeps"} & modules
    assert not {"jax", "numpy", "tyro", "rich", "matplotlib", "polars", "flax", "tensorstore", "scipy", "ray"} & modules


@pytest.mark.parametrize("command", ["curve", "plan", "doctor", "data"])
def test_help_of_these_commands_imports_no_jax(command):
    program = "import sys; from infojax.cli import main\n"
    program += f"try: main([{command!r}, '--help'])\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"jax", "flax", "polars", "neural_tangents"} & set(done.stdout.splitlines()[-1].split())


def test_the_version_is_quick_as_well():
    program = "import sys\nfrom infojax.cli import main\n"
    program += "try: main(['--version'])\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"jax", "numpy", "tyro", "rich"} & set(done.stdout.splitlines()[-1].split())


def test_as_a_module():
    done = subprocess.run([sys.executable, "-m", "infojax", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"infojax {infojax.__version__}\n"


ROOMS = "import sys, infojax as ij; print([m for m in sys.modules if m.startswith(('jax', 'numpy'))]); print({})"


@pytest.mark.parametrize("name", [*infojax.__all__, "__version__"])
def test_all_names_are_there_after_one_import(name):
    """Each in a process of its own, where nothing else has imported its room."""
    if name in ("plan", "Converged", "__version__", "sweeps"):
        done = subprocess.run(
            [sys.executable, "-c", ROOMS.format(f"ij.{name}")], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith("[]\n")
    assert name in dir(infojax)
    assert getattr(infojax, name) is not None


def test_rooms_that_are_no_part_of_the_list_are_there_as_well():
    program = "import infojax as ij; ij.errors.InvalidInput, ij.arrays.float64\nfrom infojax import *\ndata.load, plan"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_name_that_is_not_there_is_an_attribute_error():
    assert not hasattr(infojax, "planing")
    with pytest.raises(ImportError, match="planing"):
        exec("from infojax import planing")


@pytest.mark.parametrize("command", ["score", "curve", "doctor", "data list", "data fetch"])
def test_every_command_has_help(command, capsys):
    assert code(*command.split(), "--help") == 0
    assert f"usage: infojax {command}" in capsys.readouterr().out


def test_data_lists(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert code("data", "list") == 0
    assert "digits" in capsys.readouterr().out


@pytest.mark.parametrize("args", [("scor",), ("data", "lst"), ("score", "digits", "--colour", "red"), ("score",)])
def test_misspelt_commands_and_options(args, capsys):
    assert code(*args) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert args[-1].lstrip("-") in captured.out + captured.err or "--colour" in captured.err + captured.out


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (("scroe",), "infojax score"),
        (("crve", "--law", "ridge"), "infojax curve"),
        (("data", "lst"), "infojax data list"),
        (("results", "exprot"), "infojax results export"),
    ],
)
def test_the_nearest_command_is_named(args, meant, capsys):
    assert code(*args) == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err


def test_a_command_like_no_other_and_an_option_before_any(capsys):
    for wrong in ("xyzzy", "--colour"):
        assert code(wrong) == 2
        assert f"there is no infojax {wrong}; there are score, curve" in capsys.readouterr().err


def test_shell_completion_is_still_there(capsys):
    assert code("--tyro-print-completion", "bash") in (0, None)
    assert "infojax" in capsys.readouterr().out


def test_version(capsys):
    assert code("--version") == 0
    assert capsys.readouterr().out.startswith("infojax 0.")


def test_an_error_is_a_message_without_traceback(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert code("score", "digitz") == 2
    assert list(tmp_path.iterdir()) == []
    captured = capsys.readouterr()
    assert captured.err.startswith("error: 'digitz' is neither")
    assert "Did you mean 'digits'?" in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def fails(error):
    def command():
        raise error

    return command


def test_messages_are_printed_as_they_are(capsys):
    message = "shape [bold](3, 4)[/] " + "word " * 40 + "\n  second line"
    assert exit_code(fails(InvalidInput(message))) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_tracebacks_on_request(monkeypatch):
    monkeypatch.setenv("INFOJAX_TRACEBACK", "1")
    with pytest.raises(DataNotFound):
        exit_code(fails(DataNotFound("gone")))


def test_bugs_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        exit_code(fails(ZeroDivisionError()))


def test_ctrl_c(capsys):
    assert exit_code(fails(KeyboardInterrupt())) == 130
    assert "files that were finished are whole" in capsys.readouterr().err
    interrupt = KeyboardInterrupt()
    interrupt.add_note("half of it is kept")
    assert exit_code(fails(interrupt)) == 130
    assert capsys.readouterr().err == "error: interrupted. half of it is kept\n"


def test_exit_codes_of_commands():
    assert exit_code(lambda: None) == 0
    assert exit_code(lambda: 1) == 1


def test_commands_exist():
    for module, function, _ in (*COMMANDS.values(), *DATA_COMMANDS.values()):
        if function is not None:
            assert callable(getattr(__import__(f"infojax.cli.{module}", fromlist=[module]), function))


def test_a_reader_that_has_seen_enough_is_no_error():
    code = "import sys; from infojax.cli import exit_code; sys.exit(exit_code(lambda: print('x' * 100_000)))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")
