"""One HTML page that holds everything: words, tables, pictures; nothing is fetched.

The page is put together as a tree, so that names with odd signs cannot break it.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

MARK = "napari-sashiko report"
LINES_BEFORE_MARK = 512  # bytes at the beginning of a page, in which the mark stands
STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --text: #1c1c1c; --faint: #6b6b6b;
  --line: #d5d5d5; --note: #fff6df; }
@media screen and (prefers-color-scheme: dark) {
  :root { --back: #1f2228; --text: #ececec; --faint: #a3a8b0; --line: #444a54;
    --note: #3a3322; } }
body { background: var(--back); color: var(--text); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; line-height: 1.5;
  font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
nav a { margin-right: 1rem; } a { color: inherit; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
caption { text-align: left; font-weight: 600; }
figure { margin: 1.5rem 0; break-inside: avoid; }
figure img { max-width: 100%; height: auto; }
figcaption { color: var(--faint); font-size: .85rem; max-width: 45rem; }
.missing { background: var(--note); padding: .4rem .8rem; border-radius: .3rem; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .4em;
  border: 1px solid var(--line); print-color-adjust: exact; }
footer { margin-top: 3rem; color: var(--faint); font-size: .85rem; }
@media print { body { margin: 0; max-width: none; } nav { display: none; } }
"""


@dataclass(frozen=True)
class Swatch:
    """A word with the colour ``"#rrggbb"`` that it has everywhere."""

    text: str
    color: str


@dataclass(frozen=True)
class Table:
    """Rows of words; `heads` may be empty."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str | Swatch, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A figure as PNG, drawn on light and on dark ground, with its caption."""

    name: str
    title: str
    note: str
    light: bytes
    dark: bytes


@dataclass(frozen=True)
class Missing:
    """A sentence on what is not there, and why."""

    text: str


Part = str | Table | Picture | Missing


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: tuple[Part, ...]


def write_page(
    title: str, lead: str, sections: Sequence[Section], *, footer: str = ""
) -> str:
    """Put a page together.

    Parameters
    ----------
    title, lead : str
        What it is about.
    sections : sequence of Section
        Those without parts are left out.
    footer : str
        What made it, and when.

    Returns
    -------
    str
        HTML; the mark of this program stands within its first bytes.
    """
    page = Element("html", lang="en")
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="generator", content=MARK)
    wide = "width=device-width, initial-scale=1"
    SubElement(head, "meta", name="viewport", content=wide)
    _text(head, "title", title)
    _text(head, "style", STYLE)
    body = SubElement(page, "body")
    _text(body, "h1", title)
    _text(body, "p", lead)
    shown = [section for section in sections if section.parts]
    _add_contents(body, shown)
    for section in shown:
        _add_section(body, section)
    _text(body, "footer", footer)
    indent(page, space=" ")
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html")


def is_own_page(start: bytes) -> bool:
    """Whether a file that begins like this was written by `write_page`."""
    return MARK.encode() in start[:LINES_BEFORE_MARK]


def _add_contents(body: Element, sections: Sequence[Section]) -> None:
    bar = SubElement(body, "nav")
    for section in sections:
        _text(bar, "a", section.title, href=f"#{_anchor(section.title)}")


def _add_section(body: Element, section: Section) -> None:
    place = SubElement(body, "section", id=_anchor(section.title))
    _text(place, "h2", section.title)
    for part in section.parts:
        if isinstance(part, Table):
            _add_table(place, part)
        elif isinstance(part, Picture):
            _add_picture(place, part)
        elif isinstance(part, Missing):
            _text(place, "p", part.text, **{"class": "missing"})
        else:
            _text(place, "p", part)


def _add_table(place: Element, table: Table) -> None:
    rows = SubElement(place, "table")
    if table.title:
        _text(rows, "caption", table.title)
    if table.heads:
        line = SubElement(SubElement(rows, "thead"), "tr")
        for word in table.heads:
            _text(line, "th", word, scope="col")
    inside = SubElement(rows, "tbody")
    for row in table.rows:
        line = SubElement(inside, "tr")
        for number, cell in enumerate(row):
            # Without heads, the first column says what the second one is.
            first = number == 0 and not table.heads
            tag = SubElement(line, "th", scope="row") if first else None
            _fill_cell(SubElement(line, "td") if tag is None else tag, cell)


def _fill_cell(place: Element, cell: str | Swatch) -> None:
    if isinstance(cell, Swatch):
        mark = SubElement(place, "span", style=f"background: {cell.color}")
        mark.set("class", "swatch")
        mark.text, mark.tail = "\u200b", _clean(cell.text)
    else:
        place.text = _clean(cell)


def _add_picture(place: Element, picture: Picture) -> None:
    frame = SubElement(place, "figure", id=f"figure-{picture.name}")
    both = SubElement(frame, "picture")
    dark = "screen and (prefers-color-scheme: dark)"
    SubElement(both, "source", media=dark, srcset=_inline(picture.dark))
    SubElement(both, "img", src=_inline(picture.light), alt=_clean(picture.title))
    caption = SubElement(frame, "figcaption")
    _text(caption, "strong", f"{picture.title}. ")
    caption[-1].tail = _clean(picture.note)


def _inline(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _text(place: Element, tag: str, text: str, **attributes: str) -> None:
    SubElement(place, tag, attributes).text = _clean(text)


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _clean(text: str) -> str:
    """Leave out control characters, which no page may hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
