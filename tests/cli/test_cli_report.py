"""`sashiko report` writes a page or figures, and says what it left out."""

import numpy as np
import pytest


def test_a_prediction_becomes_a_page(sashiko, trained, tmp_path):
    said = sashiko(
        *("report", trained / "forest.zarr", "-o", tmp_path / "r.html", "--json"),
        *("--image", trained / "image.npy", "--labels", trained / "labels.npy"),
        *("--truth", trained / "truth.npy", "--ignore", trained / "labels.npy"),
    )
    assert said.code == 0, said.err
    assert said.summary["report"] == str(tmp_path / "r.html")
    assert {"reliability", "confusion", "slices"} <= set(said.summary["figures"])
    assert set(said.summary["missing"]) == {"curves", "graph", "lengths"}
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    truth, strokes = np.load(trained / "truth.npy"), np.load(trained / "labels.npy")
    for number in (1, 2):
        unseen = int(((truth == number) & (strokes == 0)).sum())
        assert f"{unseen:,}".replace(",", "\u2009") in page


def test_single_figures_are_written_and_named(sashiko, trained, tmp_path):
    said = sashiko(
        *("report", trained / "forest.sashiko-model", "-o", tmp_path / "figures"),
        *("--format", "pdf", "--figures", "reliability, confusion"),
    )
    assert said.code == 0, said.err
    assert "Figures: reliability, confusion" in said.out
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {"reliability.pdf", "confusion.pdf"}


def test_what_cannot_be_drawn_is_said_and_no_failure(sashiko, trained, tmp_path):
    model = trained / "forest.sashiko-model"
    said = sashiko("report", model, "-o", tmp_path / "r.html", "--figures", "curves")
    assert said.code == 0
    assert "Not drawn: curves" in said.out
    assert "no network" in said.err


BAD = {
    "nothing there": (["none.zarr"], "nothing at"),
    "no kind of result": (["image.npy"], "neither a project"),
    "no place": (["forest.zarr"], "-o"),
    "figure": (["forest.zarr", "-o", "r.html", "--figures", "pie"], "'pie'"),
    "format": (["forest.zarr", "-o", "r.html", "--format", "gif"], "gif"),
    "radius": (
        ["forest.zarr", "-o", "r.html", "--set", "radius_to=900"],
        "radius_to",
    ),
    "shell": (
        ["forest.zarr", "-o", "r.html", "--set", "radius_to=9", "--set",
         "radius_from=10"],
        "radius_from",
    ),
    "image": (["forest.zarr", "-o", "r.html", "--image", "none.tif"], "none.tif"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_are_one_sentence(sashiko, trained, tmp_path, monkeypatch, case):
    words, said = BAD[case]
    monkeypatch.chdir(trained)
    words = [tmp_path / word if word == "r.html" else word for word in words]
    answer = sashiko("report", *words)
    assert answer.code == 2
    assert said in answer.complaint
    assert not (tmp_path / "r.html").exists()
