"""labels.csv as people, spreadsheets and pandas write it."""

import numpy as np
import pytest

from infojax.data import load
from infojax.errors import CorruptData, DataWarning, InvalidInput

TWO = ("a.png", "b.png")


def labelled(folder, text, *names):
    return folder(*(names or TWO), **{"labels.csv": text})


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.png,x\nb.png,x \n",
        "file , label\n a.png,x\nb.png\t,\u00a0x\n",
        "File,LABEL\na.png,x\nb.png,x\n",
        'file,label\na.png, "x"\n"b.png","x"\n',
        "\ufefffile,label\r\na.png,x\r\n\r\nb.png,x\r\n,\r\n",
        "file,label,,\na.png,x,,\nb.png,x,,\n",
        ",file,label\n0,a.png,x\n1,b.png,x\n",
        "Unnamed: 0,file,label\n1,a.png,x\n2,b.png,x\n",
        "label,file\nx,a.png\nx,b.png\n",
    ],
)
def test_names_and_labels_are_stripped_and_the_index_is_no_column(folder, text):
    own = load(labelled(folder, text))
    assert own.classes == ("x",)
    assert own.columns["file"].tolist() == ["a.png", "b.png"]
    assert set(own.columns) == {"file", "folder"}


def test_further_columns(folder):
    text = "file,label,Camera ,,id\na.png,x,phone,4,0\nb.png,y,\n"
    with pytest.warns(DataWarning, match=r"left out 1 column\(s\) without a name"):
        own = load(labelled(folder, text))
    assert {k: v.tolist() for k, v in own.columns.items()} == {
        "folder": [".", "."],
        "file": ["a.png", "b.png"],
        "Camera": ["phone", ""],
        "id": ["0", ""],
    }


def test_backslashes_and_labels_in_capitals(folder):
    root = folder("cats/a.png", "cats/b.png", **{"LABELS.CSV": "file,label\ncats\\a.png,x\ncats/b.png,y\n"})
    own = load(root)
    assert (own.columns["file"].tolist(), own.classes) == (["cats/a.png", "cats/b.png"], ("x", "y"))


@pytest.mark.parametrize(
    "path",
    ["/etc/hostname", "../out.png", "cats/../../out.png", "out/../../x.png", "link.png", "far/out.png", "..\\out.png"],
)
def test_paths_stay_inside_the_folder(folder, path, tmp_path):
    root = labelled(folder, f"file,label\na.png,x\n{path},y\n", *TWO, "../out.png", "cats/a.png", "../other/out.png")
    (root / "link.png").symlink_to(tmp_path / "out.png")
    (root / "far").symlink_to(tmp_path / "other")
    with pytest.raises(InvalidInput, match=r"labels\.csv, line 3: .* with label 'y': the path leads out"):
        load(root)


def test_paths_that_come_back_and_links_inside(folder):
    root = labelled(folder, "file,label\ncats/../a.png,x\nlink.png,y\n")
    (root / "cats").mkdir()
    (root / "link.png").symlink_to("b.png")
    assert load(root).classes == ("x", "y")


def test_a_folder_behind_a_link(folder, tmp_path):
    (tmp_path / "linked").symlink_to(labelled(folder, "file,label\na.png,x\nb.png,y\n"))
    assert load(tmp_path / "linked").classes == ("x", "y")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("file;label\na.png;x\n", "parted by semicolons: save it with commas"),
        ("file\tlabel\na.png\tx\n", "parted by tabs"),
        ("name,class\na.png,x\n", "it needs `file` and `label`"),
        ("file,File,label\na.png,a.png,x\n", "each name once"),
        ("file,label\na.png,cat, black\n", "line 2 has 3 cells, and there are 2 columns"),
        ("file,label\n\n\na.png,x\nb.png\n", "line 5: .*no label"),
        ("file,label\na.png, \n", "no such file, or no label"),
        ("file,label\nc.png,x\n", "line 2: 'c.png' .*no such file"),
        ("file,label\nin.png,x\n", "It is in images/: write images/in.png"),
        ("file,label\nx.svg,x\na.png,y\n", "x.svg is not read, as its suffix is none of PNG"),
        ("file,label\n", "holds no labelled pictures"),
        ("", "it needs `file` and `label`"),
    ],
)
def test_tables_that_are_refused_say_what_to_do(folder, text, says):
    root = labelled(folder, text, *TWO, "images/in.png", "x.svg")
    with pytest.raises(InvalidInput, match=says):
        load(root)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_other_encodings(folder, encoding):
    root = folder(*TWO, **{"labels.csv": "file,label\na.png,café\nb.png,y\n".encode(encoding)})
    with pytest.raises(CorruptData, match="UTF-16" if "16" in encoding else "no table in CSV and UTF-8"):
        load(root)


def test_a_file_that_is_named_twice_is_said(folder):
    root = labelled(folder, "file,label\na.png,x\nb.png,y\n./a.png,y\n")
    with pytest.warns(
        DataWarning, match=r"1 picture\(s\) named more than once, such as a\.png in lines 2 and 4; 1 with diff"
    ):
        own = load(root)
    np.testing.assert_array_equal(own.x[0], own.x[2])


def test_labels_that_differ_in_case_are_said(folder):
    with pytest.warns(DataWarning, match="classes 'Cat' and 'cat' differ in case or blanks alone"):
        assert load(labelled(folder, "file,label\na.png,cat\nb.png,Cat\n")).classes == ("Cat", "cat")


def test_pictures_that_it_does_not_name_are_counted(folder):
    root = folder(*TWO, "c.png", "more/d.png", **{"labels.csv": "file,label\na.png,x\nb.png,y\n"})
    with pytest.warns(DataWarning, match=r"left out 2 picture\(s\) that it does not name, such as c\.png"):
        assert len(load(root)) == 2


def test_characters_without_width_are_stripped(folder):
    root = folder(*TWO, "c.png", **{"labels.csv": "file,label\na.png,x\nb.png,x\u200b\nc.png\u2060,\ufeffx \n"})
    assert load(root).classes == ("x",)
