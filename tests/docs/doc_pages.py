"""The Markdown pages of the project: their links, headings and blocks of code."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
SKIP = re.compile(r"<!-- not run: .+ -->\n$")


@dataclass(frozen=True)
class Block:
    """Code of a page."""

    page: Path
    language: str
    code: str
    line: int
    is_run: bool

    @property
    def name(self):
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def pages():
    """Return all pages, README first."""
    top = [p for p in sorted(ROOT.glob("*.md")) if p.name != "README.md"]
    docs = sorted((ROOT / "docs").rglob("*.md"))
    return [ROOT / "README.md", *top, *docs]


def page_name(page):
    return page.relative_to(ROOT).as_posix()


def prose(page):
    """Return the text of a page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page):
    """Return the targets of links and pictures, as written."""
    return LINK.findall(prose(page))


def anchors(page):
    """Return the anchors of the headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def blocks(page):
    """Return the blocks of code in their order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        before = text[: match.start()]
        found.append(
            Block(
                page,
                match[1],
                match[2],
                before.count("\n") + 1,
                not SKIP.search(before),
            )
        )
    return found


def command_lines(block):
    """Return the lines of a shell block without comments."""
    lines = [line.split("  #")[0].strip() for line in block.code.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
