import ast
import hashlib
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infojax.errors import InvalidInput
from infojax.sweeps.store.addresses import code_version as code_version_module
from infojax.sweeps.store.addresses.code_version import code_version, pinned
from infojax.sweeps.store.addresses.syntax import canonical


@pytest.fixture
def version(package):
    """The version of `squares` after a file of the package was edited."""
    name, folder = package
    importlib.import_module(f"{name}.squares")

    def after(file=None, old="", new=""):
        if file is not None:
            text = (folder / file).read_text()
            assert old in text
            (folder / file).write_text(text.replace(old, new))
        return code_version(f"{name}.squares")

    return after


def test_stays_while_nothing_changes(version):
    assert version() == version()
    assert len(version()) == 12


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Squares of the first numbers", "Other words"),
        ("    values = ", "    # a comment\n\n    values = "),
        ('pl.DataFrame({"i"', 'pl.DataFrame( {\n        "i"'),
    ],
)
def test_words_and_layout_do_not_count(version, old, new):
    assert version() == version("squares.py", old, new)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("squares.py", "numbers=6", "numbers=7"), ("arithmetic.py", "** exponent", "* exponent")],
)
def test_code_counts_wherever_it_stands(version, file, old, new):
    assert version() != version(file, old, new)


def test_follows_imports_into_infojax(version, monkeypatch):
    asked, source = [], code_version_module._source
    monkeypatch.setattr(code_version_module, "_source", lambda name, roots: asked.append(name) or source(name, roots))
    version(
        "squares.py",
        "import polars as pl",
        "import polars as pl\nfrom infojax.linearized import Converged",
    )
    assert "infojax.errors" in asked  # imported by training.py
    assert "infojax.sweeps.store.result_store" not in asked
    before = version()
    assert version("squares.py", "import polars as pl", "import infojax\nimport polars as pl") != before
    assert "infojax.sweeps.store.result_store" in asked


SOURCES = [
    "x = f'{a}' 'b' f\"{c!r:>{width}}{'q'}\" f''",
    "x = f'{a=}, {b:.2f} {{}}'",
    "x = ('\\N{BULLET}', 'é\U0001f600', b'\\xff', 1_000, 0xFF, 1e-7, 2j, ..., None, True)",
    "def f(x, /, *y, z=1, **k) -> int: return x",
    "match x:\n    case {'a': [1, *rest], **others} if rest: pass\n    case A(b=1) | None: pass",
    "async def f():\n    async with a as b, c: yield {**d, 'e': 1}\n    return [x async for x in y if z]",
    "try: pass\nexcept* ValueError as e: raise E from e\nelse: del x, y[1:2, ...]\nfinally: print(z)",
    "class A(B, metaclass=C):\n    'Words.'\n    x: int = 1\n    y: 'str'\n    @d\n    def f(self): 'Words.'",
    "(y := 10)\nlambda *, a=1: (yield)\nx @= a if b else c",
]
SAME = [("f'{a}b' 'c'", "f'{a}' 'bc'"), ("x='a'  # b", 'x = "a"'), ("u'a'", "'a'"), ("f'a'", "f'' f'a'")]
OTHER = [("x = 1", "x = 1.0"), ("x = 'a'", "x = b'a'"), ("f(a, *b)", "f(*b, a)"), ("x", "x = None"), ("-1", "1")]


def text(source):
    return canonical(ast.parse(source))


def test_different_sources_have_different_texts():
    assert len({text(source) for source in SOURCES}) == len(SOURCES)
    assert all(text(one) != text(other) for one, other in OTHER)
    assert all(text(one) == text(other) for one, other in SAME)


def other_pythons():
    """Those that are here and differ from this one."""
    found = {}
    for folder in (*os.environ.get("PATH", "").split(os.pathsep), *map(str, Path.home().glob(".pyenv/versions/*/bin"))):
        for file in Path(folder or ".").glob("python3.1[1-9]"):
            if "shims" not in folder and file.name != f"python3.{sys.version_info.minor}":
                found.setdefault(file.name, file)
    return list(found.values())


def test_every_python_reads_the_same(tmp_path):
    """What is written here, and this whole room; where there are other Pythons to compare with."""
    room = Path(code_version_module.__file__).parent
    sources = [*SOURCES, *(file.read_text("utf-8") for file in sorted(room.glob("*.py")))]
    (tmp_path / "sources.json").write_text(json.dumps(sources), "utf-8")
    script = (
        "import ast, json, runpy, sys; canonical = runpy.run_path(sys.argv[1])['canonical']; "
        "print(ascii([canonical(ast.parse(text)) for text in json.load(open(sys.argv[2]))]))"
    )
    here = ascii([text(source) for source in sources])
    for python in other_pythons():
        command = [python, "-I", "-c", script, str(room / "syntax.py"), str(tmp_path / "sources.json")]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == here


def test_the_text_stays_what_it_is():
    """Were it to change, every stored result would be older: on purpose only, and with a word to users."""
    found = "".join(map(text, SOURCES))
    assert hashlib.sha256(found.encode()).hexdigest()[:16] == "9fcef4882f3e4e1e"


def test_a_module_without_a_file_is_refused(monkeypatch):
    module = type(sys)("typed_in")
    monkeypatch.setitem(sys.modules, "typed_in", module)
    with pytest.raises(InvalidInput, match="has no source file"):
        code_version("typed_in")


def test_sources_are_read_once_while_they_stay(version, package, monkeypatch):
    old = 1_000_000_000
    for file in package[1].glob("*.py"):
        os.utime(file, (old, old))
    before = version()
    read = []
    digest = code_version_module._digest
    monkeypatch.setattr(code_version_module, "_digest", lambda module: read.append(module) or digest(module))
    assert version() == before
    assert read == []
    assert version("arithmetic.py", "** exponent", "*  exponent") != before  # as many bytes as before
    assert len(read) == 1
    assert version() == version()  # too fresh to be trusted by its time alone
    assert len(read) == 3


def test_a_pinned_version_stays(version, package):
    module = f"{package[0]}.squares"
    before = version()
    with pinned(module):
        with pinned(module):
            assert version("arithmetic.py", "** exponent", "* exponent") == before
        assert version() == before
    assert version() != before
