"""The scripts of the applications run, and write their pages as these are."""

import runpy
import sys

import pytest
from doc_pages import ROOT, links

from napari_sashiko.training import fit

FOLDER = ROOT / "docs" / "applications"
NAMES = ("fibres", "inpainting", "shapes")


def parts(page, name):
    """Text before the numbers, the numbers, text behind them."""
    begin = f"<!-- Numbers: written by docs/applications/{name}.py. -->\n"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    numbers, after = rest.split("<!-- End of the numbers. -->")
    return before, numbers, after


def heads(text):
    """First row and first column of each table."""
    rows = [row.split("|")[1:-1] for row in text.splitlines() if row.startswith("|")]
    return rows[0], [row[0] for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_application_runs_and_writes_its_page(name, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "STEPS", 1)
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", [name, "--quick", "--docs", str(tmp_path)])
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    page, made = FOLDER / f"{name}.md", tmp_path / "applications" / f"{name}.md"
    before, numbers, after = parts(page, name)
    again, others, behind = parts(made, name)
    assert (again, behind) == (before, after)
    assert heads(others) == heads(numbers)
    assert "mean nothing" in others
    shown = {link for link in links(page) if link.endswith(".png")}
    drawn = {f"../images/{path.name}" for path in (tmp_path / "images").iterdir()}
    assert drawn == shown


def test_numbers_of_a_quick_run_stay_out_of_the_pages(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", ["shapes", "--quick"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(FOLDER / "shapes.py"), run_name="__main__")
    assert "--docs FOLDER" in capsys.readouterr().err
