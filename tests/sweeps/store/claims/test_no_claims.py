"""What is no claim, among claims: it holds nothing, and stops nobody."""

import json
import os

import pytest

from infojax.errors import InvalidInput
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.claims import heartbeat
from infojax.sweeps.store.claims.claim import Watch, holder, take


def make_no_file(path, kind):
    match kind:
        case "folder":
            path.mkdir()
        case "dangling link":
            path.symlink_to("nothing")
        case "link to itself":
            path.symlink_to(path.name)
        case "link to a file":
            path.symlink_to(__file__)
        case "pipe":
            os.mkfifo(path)
        case "socket":
            import socket

            os.chdir(path.parent)  # names of sockets are short
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(path.name)


KINDS = ["folder", "dangling link", "link to itself", "link to a file", "pipe", "socket"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_holds_nothing(where, kind, monkeypatch):
    monkeypatch.chdir(where.parents[2])
    where.mkdir(parents=True)
    make_no_file(where / "a.1", kind)
    assert holder(where, "a", Watch()) is None
    claim = take(where, "a", Watch())
    assert claim.file.name == "a.2"
    assert claim.held()
    assert take(where, "a", Watch()) is None
    claim.release()
    assert take(where, "a", Watch()) is not None


@pytest.mark.parametrize("name", ["a.01", "a.0", "a.", "a.-1", "a.+1", "a.1 ", "a.١", "a.1.1", "a." + "9" * 200, "a.x"])
def test_names_that_are_none_of_ours_are_left_alone(where, name):
    where.mkdir(parents=True)
    (where / name).write_text("another's")
    assert holder(where, "a", Watch()) is None
    claim = take(where, "a", Watch())
    assert claim.file.name == "a.1"
    assert claim.held()
    claim.release()
    assert [file.name for file in where.iterdir()] == [name]


def test_the_largest_number_is_taken_over_too(where, dead):
    where.mkdir(parents=True)
    for text in (json.dumps(dead), ""):
        (where / f"a.{claims.LIMIT}").write_text(text)
        watch = Watch(lease=-1.0)
        claim = take(where, "a", watch) or take(where, "a", watch)
        assert claim.file.name == "a.1"
        claim.release()


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_what_stands_where_the_folder_of_claims_should(tmp_path, kind):
    where = tmp_path / "results" / "e" / ".claims"
    where.parent.mkdir(parents=True)
    if kind == "folder":
        where.mkdir()
        assert take(where, "a", Watch()) is not None
        return
    where.touch() if kind == "file" else where.symlink_to("nothing")
    with pytest.raises(InvalidInput, match="results cannot be written"):
        take(where, "a", Watch())


def test_a_claim_that_cannot_be_removed_is_said_in_a_line(where, dead, monkeypatch):
    where.mkdir(parents=True)
    (where / "a.1").write_text(json.dumps(dead))

    def refuses(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(claims.Path, "unlink", refuses)
    claim = take(where, "a", Watch())  # whose forerunner cannot be removed
    assert claim.held()
    assert "Read-only file system" in claim.release()
    assert take(where, "a", Watch()) is None  # this process lives


def test_signs_of_life_do_not_wait_for_a_pipe(where):
    claim = take(where, "a", Watch())
    claim.file.unlink()
    os.mkfifo(claim.file)
    heartbeat.touch(claim.file, claim.token.encode())
