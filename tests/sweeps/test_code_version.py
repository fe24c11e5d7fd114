import importlib
import os
import sys

import pytest

from infojax.errors import InvalidInput
from infojax.sweeps import code_version as code_version_module
from infojax.sweeps.code_version import code_version, pinned


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
        "import polars as pl\nfrom infojax.linearized.training import Converged",
    )
    assert "infojax.errors" in asked  # imported by training.py
    assert "infojax.sweeps.store" not in asked
    before = version()
    assert version("squares.py", "import polars as pl", "import infojax\nimport polars as pl") != before
    assert "infojax.sweeps.store" in asked


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
