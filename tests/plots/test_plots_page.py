"""A page is well-formed, holds everything, and fetches nothing."""

import base64
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.plots import (
    Missing,
    Picture,
    Section,
    Swatch,
    Table,
    is_own_page,
    write_page,
)

VOID = {"meta", "img", "source", "br"}


class Reader(HTMLParser):
    """Tags in their order; fails where they are not nested."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links, self.words = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        for key, value in attributes:
            if key in ("src", "srcset", "href"):
                self.links.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag not in VOID
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


PICTURE = Picture("lengths", "Lengths", "From a table.", b"\x89PNG light", b"dark")
SECTIONS = (
    Section("Data", ("A sentence.", Table("Image", (), (("size", "3"),)))),
    Section("How good it is", (PICTURE, Missing("There is no truth."))),
    Section("Nothing", ()),
    Section("Classes", (Table("", ("class",), ((Swatch("fibre", "#e69f00"),),)),)),
)


def test_a_page_is_nested_and_has_its_sections():
    page = write_page("cement", "What it is.", SECTIONS, footer="Made today.")
    reader = read(page)
    headings = [
        attributes.get("id") for tag, attributes in reader.tags if tag == "section"
    ]
    assert headings == ["data", "how-good-it-is", "classes"]
    text = " ".join(reader.words)
    for words in (
        "cement",
        "What it is.",
        "There is no truth.",
        "Made today.",
        "fibre",
    ):
        assert words in text
    assert page.startswith("<!DOCTYPE html>")
    assert ("html", {"lang": "en"}) in reader.tags


def test_a_page_fetches_nothing():
    reader = read(write_page("cement", "", SECTIONS))
    inside = [
        link for link in reader.links if link.startswith("data:image/png;base64,")
    ]
    anchors = [link for link in reader.links if link.startswith("#")]
    assert len(inside) == 2
    assert len(inside) + len(anchors) == len(reader.links)
    named = {a["id"] for _, a in reader.tags if "id" in a}
    assert {anchor[1:] for anchor in anchors} <= named
    assert not {tag for tag, _ in reader.tags} & {"script", "link", "iframe"}
    dark, light = (base64.b64decode(link.partition(",")[2]) for link in inside)
    assert (light, dark) == (b"\x89PNG light", b"dark")


def test_pictures_say_what_they_show():
    reader = read(write_page("cement", "", SECTIONS))
    (image,) = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert image["alt"] == "Lengths"


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=40))
def test_no_name_breaks_the_page(name):
    cells = ((name, Swatch(name, "#e69f00")),)
    parts = (name, Missing(name), Table(name, (name,), cells))
    reader = read(write_page(name, name, [Section("Data", parts)], footer=name))
    assert [tag for tag, _ in reader.tags].count("section") == 1


def test_markup_in_a_name_stays_a_name():
    page = write_page("<script>alert(1)</script>", "a & b", [])
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "a &amp; b" in page


def test_a_page_is_known_by_its_first_bytes():
    page = write_page("cement", "", SECTIONS).encode()
    assert is_own_page(page[:1024])
    assert not is_own_page(b"<!DOCTYPE html><html><head></head></html>")
    assert not is_own_page(b"")
