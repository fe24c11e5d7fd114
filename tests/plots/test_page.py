import base64
from html.parser import HTMLParser

import polars as pl
import pytest

from infojax.errors import InvalidInput
from infojax.plots import Entry, Finding, page

EVIL = "<script>alert('x')</script> & \"quotes\" λ"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
RECORD = {
    "format": 1,
    "config": {"type": "Config", "n": 5, "inner": {"rate": EVIL}},
    "seed": 7,
    "versions": {"jax": "0.10", "infojax": None},
    "device": EVIL,
    "git": None,
    "started": "2025-01-01T00:00:00+00:00",
    "seconds": 12.3456,
    "files": {"t.parquet": "00"},
}


class Reader(HTMLParser):
    """Tags with attributes, in order; checks that every tag that opens also closes, in the right order."""

    EMPTY = ("meta", "img", "br", "link", "input", "hr")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def entries():
    numbers = pl.DataFrame(
        {
            "quantity": ["Pearson", EVIL],
            "ours": [0.98765432, None],
            "paper": [0.99, float("nan")],
            "note": ["near", None],
        }
    )
    return [
        Entry(
            "one",
            f"First {EVIL}",
            EVIL,
            PNG,
            numbers,
            (Finding(f"It is so. {EVIL}", True, f"1 {EVIL}"), Finding("It is not.", False, "2 of 3")),
            f"{EVIL}\n\nSecond\nparagraph.",
            RECORD,
        ),
        Entry("two", "Second", "Fig. 7", missing=f"no data {EVIL}"),
    ]


@pytest.fixture
def html(entries):
    return page("Title", "A summary.\n\nMore of it.", entries)


def test_is_well_formed_and_escapes_everything(html):
    reader = Reader(html)
    assert reader.all("script") == []
    # Title, contents, answers, table, remarks, record twice (summary line and row) and config; reason.
    assert reader.text.count(EVIL) >= 8
    assert "<script" not in html
    assert reader.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in reader.all("meta")


def test_needs_nothing_from_elsewhere(html):
    reader = Reader(html)
    links = [value for _, attributes in reader.tags for name, value in attributes.items() if name in ("src", "href")]
    assert links
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert "url(" not in html
    assert "@import" not in html
    assert any("default-src 'none'" in meta.get("content", "") for meta in reader.all("meta"))


def test_picture_is_whole_and_described(html):
    small, image = Reader(html).all("img")
    assert base64.b64decode(image["src"].partition(",")[2]) == PNG
    assert image["alt"].startswith(f"First {EVIL}")
    assert base64.b64decode(small["src"].partition(",")[2]).startswith(b"\x89PNG")
    assert small["alt"] == ""  # the link's own words say it


def test_contents_lead_to_every_figure(html):
    reader = Reader(html)
    ids = [attributes["id"] for attributes in reader.all("section")]
    assert ids == ["one", "two"]
    links = [a["href"] for a in reader.all("a")]
    assert links == ["#one", "#two", "#one", "#two"]  # from the small pictures, and of the headings to be copied
    for attributes in reader.all("section"):
        assert attributes["aria-labelledby"] in [heading.get("id") for heading in reader.all("h2")]


def test_numbers_are_rounded_and_gaps_are_dashes(html):
    assert '<td class="number">0.9877</td>' in html
    assert html.count("<td>—</td>") == 3
    assert "<caption>Our numbers beside the paper’s</caption>" in html


def test_record_is_folded_and_complete(html):
    text = Reader(html).text
    assert "Record: 12.3 s on" in text
    for told in ("n: 5", "jax: 0.10", "infojax: none", "2025-01-01", "seed7"):
        assert told in text, told
    assert "t.parquet" not in text
    assert len(Reader(html).all("details")) == 1


def test_says_when_the_time_is_that_of_a_part():
    text = Reader(page("t", "s", [Entry("one", "First", "Fig. 1", record=RECORD | {"resumed": True})])).text
    assert "Record: 12.3 s for the last part, after an interruption, on" in text


def test_what_nobody_asked_for_is_no_failure(entries):
    html = page("t", "s", [*entries, Entry("three", f"Third {EVIL}", "Fig. 3", command=f"draw three {EVIL}")])
    assert html.count('class="failed"') == 3  # a finding, and both of the figure that could not be drawn
    assert f"draw three {EVIL}" in Reader(html).text
    assert [a["id"] for a in Reader(html).all("section")] == ["one", "two", "others"]


def test_says_what_is_missing(html):
    assert "Not drawn: no data" in Reader(html).text
    assert "not drawn" in Reader(html).text


def test_figures_that_are_awaited_are_named_and_the_page_is_loaded_again(entries):
    html = page("t", "s", [*entries, Entry("three", f"Third {EVIL}", "Fig. 3", command="draw three", awaited=True)])
    reader = Reader(html)
    assert {"http-equiv": "refresh", "content": "15"} in reader.all("meta")
    assert "still to be drawn" in reader.text
    assert "draw three" not in reader.text
    assert [a["id"] for a in reader.all("section")] == ["one", "two"]
    assert "refresh" not in page("t", "s", entries)


def test_a_bug_is_shown_with_its_traceback():
    reader = Reader(page("t", "s", [Entry("one", "First", "Fig. 1", missing="a bug", trace=f"Traceback {EVIL}")]))
    assert f"Traceback {EVIL}" in reader.text
    assert len(reader.all("pre")) == 1


def test_findings_are_shown_and_those_that_do_not_hold_are_marked(html):
    good, bad = html.partition('<ul class="findings">')[2].partition("</ul>")[0].split("</li>")[:2]
    assert "It is so." in good
    assert "failed" not in good
    assert '<li class="failed"><strong>Does not hold here:</strong> It is not. <span>2 of 3</span>' in bad


@pytest.mark.parametrize(("text", "figure"), [("", "1 of 2"), ("It is so.", "")])
def test_a_finding_says_what_and_by_which_number(text, figure):
    with pytest.raises(InvalidInput, match="is empty"):
        Finding(text, True, figure)
