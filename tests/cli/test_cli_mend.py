"""``sashiko mend`` says what was damaged, keeps it, and touches nothing else."""

import shutil

import pytest


@pytest.fixture
def place(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "copy")


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["forest.zarr", "forest.sashiko-model"])
def test_what_is_whole_is_said_to_be(sashiko, place, name):
    before = contents(place)
    said = sashiko("mend", place / name)
    assert (said.code, said.out) == (0, "Nothing is damaged.\n")
    assert contents(place) == before


def test_a_damaged_prediction_is_mended_and_resumed(sashiko, place):
    ledger = place / "forest.zarr" / "ledger" / "c" / "0" / "0" / "0"
    ledger.write_bytes(b"garbage")
    said = sashiko("mend", place / "forest.zarr", "--json")
    assert said.code == 0
    assert "ledger" in " ".join(said.summary["damaged"])
    assert ledger.with_name("0.damaged").read_bytes() == b"garbage"
    words = (place / "forest.sashiko-model", place / "image.npy")
    said = sashiko("predict", *words, "-o", place / "forest.zarr", "--device", "cpu")
    assert "1 of 1 blocks were finished" in said.err


def test_a_run_mends_what_it_meets_and_says_so(sashiko, place):
    chunk = max((place / "forest.zarr/mean/0/c").rglob("0"))
    chunk.write_bytes(b"")
    words = (place / "forest.sashiko-model", place / "image.npy")
    said = sashiko("predict", *words, "-o", place / "forest.zarr", "--device", "cpu")
    assert said.code == 0
    assert "mean/0" in said.err
    assert chunk.stat().st_size > 0


@pytest.mark.parametrize("name", ["image.npy", "none", "."])
def test_what_is_none_of_ours_is_refused(sashiko, place, name):
    before = contents(place)
    said = sashiko("mend", place / name)
    assert said.code == 2
    assert said.complaint.startswith("sashiko: ")
    assert contents(place) == before
