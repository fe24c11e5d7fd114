import base64
import hashlib
import html
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from infojax.plots._document import document
from infojax.plots._sortable import SCRIPT, Column, sortable

EVIL = "<script>alert('x')</script>"
COLUMNS = (
    Column("name", ["b10", EVIL, "b9", "a"]),
    Column("size", [0.123456, 10.0, None, 0.123455], True),
    Column("count", [9, 10, 2, 300], True),
    Column("picture", ["<b>1</b>", "<b>2</b>", "<b>3</b>", "<b>4</b>"], html=True),
)
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def test_is_a_plain_table_without_the_script():
    table = sortable(COLUMNS, EVIL, order=("size", "descending"))
    assert "<script" not in table
    assert table.count(html.escape(EVIL)) == 2
    assert table.count("<tr>") == 5
    assert '<th scope="col" data-kind="number" aria-sort="descending">size</th>' in table
    assert '<td data-v="0.123456">0.1235</td>' in table
    assert "<td>—</td>" in table
    assert "<td><b>3</b></td>" in table
    assert "<td>—</td>" in sortable([Column("x", [np.nan], True)], "", order=("x", "ascending"))


def test_only_the_script_of_the_document_may_run():
    page = document("t", "<p>x</p>", script=SCRIPT)
    (script,) = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\">" in page
    assert "script-src" not in document("t", "<p>x</p>")


@pytest.mark.skipif(BROWSER is None, reason="needs a Chromium")
def test_a_click_sorts(tmp_path):
    clicks = """
    const heads = [...document.querySelector("thead tr").cells], told = [];
    for (const column of [0, 0, 1, 1, 2, 1]) {
      heads[column].querySelector("button").click();
      const order = [...document.querySelectorAll("tbody tr")].map((row) => row.cells[3].textContent).join("");
      told.push(order + heads.map((head) => (head.getAttribute("aria-sort") || "-")[0]).join(""));
    }
    document.title = told.join(" ") + " " + document.querySelectorAll("button").length;
    """
    page = document("t", sortable(COLUMNS, "c", order=("size", "ascending")), script=SCRIPT + clicks)
    (tmp_path / "page.html").write_text(page)
    assert BROWSER is not None
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
    command += ["--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run(
        [*command, (tmp_path / "page.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=os.environ | {"HOME": str(tmp_path)},
    ).stdout
    (title,) = re.findall("<title>(.*?)</title>", shown)
    # Words ascend first, with numbers in them by size; numbers descend first; what is missing is last either way.
    assert title == "2431a--- 1342d--- 2143-d-- 4123-a-- 4213--d- 2143-d-- 3"
