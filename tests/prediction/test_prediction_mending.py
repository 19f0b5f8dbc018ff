"""Damaged blocks are found, said, kept aside and done again; the rest is kept."""

import numpy as np
import pytest
from prediction_fakes import Blur, image_of

from napari_sashiko.errors import OutputError
from napari_sashiko.prediction import (
    CellDone,
    PredictionSettings,
    PredictionStarted,
    mend_prediction,
    predict,
)
from napari_sashiko.prediction._ledger import Ledger
from napari_sashiko.runners import Message
from napari_sashiko.volumes import as_volume

SHAPE = (21, 17, 25)
SMALL = {"window": (10, 11, 12), "border": (2, 2, 2), "dtype": "float32"}
KEPT = ".damaged"


def run(out, image=None, predictor=None, **values):
    settings = PredictionSettings(**{**SMALL, **values})
    image = image_of(SHAPE) if image is None else image
    return list(predict(predictor or Blur(), as_volume(image), out, settings))


def files(path):
    return {
        str(p.relative_to(path)): p.read_bytes()
        for p in sorted(path.rglob("*"))
        if p.is_file() and p.name != "zarr.json" and KEPT not in str(p)
    }


def mend(path):
    steps = mend_prediction(path)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """Bytes of a prediction that nothing happened to."""
    out = tmp_path_factory.mktemp("calm") / "p.zarr"
    run(out)
    return files(out)


@pytest.fixture
def out(tmp_path):
    run(tmp_path / "p.zarr")
    return tmp_path / "p.zarr"


def chunk(out, name):
    """A chunk of an array, in the middle of the volume."""
    found = sorted((out / name / "0" / "c").rglob("*"))
    found = [path for path in found if path.is_file()]
    return found[len(found) // 2]


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def empty(path):
    path.write_bytes(b"")


def lose(path):
    path.unlink()


def nonsense(path):
    path.write_bytes(b"\x01" * 100)


def bad_marks(path):
    content = bytearray(path.read_bytes())
    content[0] = 77
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [cut, empty, lose, nonsense])
@pytest.mark.parametrize("name", ["mean", "std", "classes"])
def test_a_damaged_chunk_costs_its_block_alone(out, name, harm, calm):
    path = chunk(out, name)
    harm(path)
    damaged = path.read_bytes() if path.exists() else None
    (words,) = mend(out)
    assert path.relative_to(out).as_posix() in words
    total = Ledger(out).finished().size
    assert f"1 of {total} blocks" in words
    assert f"other {total - 1} are kept" in words
    assert Ledger(out).finished().sum() == total - 1
    if damaged is not None:
        assert path.with_name(path.name + KEPT).read_bytes() == damaged
    predictor = Blur()
    events = run(out, predictor=predictor)
    assert sum(isinstance(event, CellDone) for event in events) == 1
    assert len(predictor.windows) == 1
    assert files(out) == calm


@pytest.mark.parametrize("harm", [cut, lose, empty])
def test_a_run_says_itself_what_is_damaged(out, harm, calm):
    harm(chunk(out, "mean"))
    events = run(out)
    said = [event.text for event in events if isinstance(event, Message)]
    assert any("mean/0" in text for text in said)
    (started,) = [e for e in events if isinstance(e, PredictionStarted)]
    assert started.done == started.cells - 1
    assert files(out) == calm


@pytest.mark.parametrize("harm", [cut, empty, lose, nonsense, bad_marks])
def test_a_damaged_ledger_is_made_again_from_the_blocks(out, harm, calm):
    path = Ledger(out).file
    harm(path)
    damaged = path.read_bytes() if path.exists() else None
    said = " ".join(mend(out))
    assert "ledger" in said
    assert "found whole" in said
    assert Ledger(out).finished().all()
    if damaged is not None:
        assert path.with_name(path.name + KEPT).read_bytes() == damaged
    predictor = Blur()
    run(out, predictor=predictor)
    assert predictor.windows == []
    assert files(out) == calm


@pytest.mark.parametrize("content", [b"{", None])
def test_a_ledger_that_zarr_cannot_open_is_made_again(out, content, calm):
    path = out / "ledger" / "zarr.json"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    said = " ".join(mend(out))
    assert "ledger.damaged" in said
    assert Ledger(out).finished().all()
    assert files(out) == calm
    if content is not None:
        assert (out / "ledger.damaged" / "zarr.json").read_bytes() == content


def test_a_half_finished_prediction_without_ledger_goes_on(tmp_path, calm):
    out = tmp_path / "p.zarr"
    work = predict(Blur(), as_volume(image_of(SHAPE)), out, PredictionSettings(**SMALL))
    for event in work:
        if isinstance(event, CellDone) and event.done == 4:
            break
    work.close()
    before = Ledger(out).finished()
    lose(Ledger(out).file)
    mend(out)
    np.testing.assert_array_equal(Ledger(out).finished(), before)
    run(out)
    assert files(out) == calm


def test_blocks_of_zeros_are_not_taken_for_lost(tmp_path):
    out, image = tmp_path / "p.zarr", np.zeros(SHAPE, np.float32)
    run(out, image)  # no chunk of the second class and none of the deviation is written
    assert not list((out / "std" / "0").rglob("c/*"))
    assert mend(out) == []
    assert Ledger(out).finished().all()


@pytest.mark.parametrize("harm", [cut, lose])
def test_a_prediction_from_before_sizes_were_noted_is_looked_at_too(out, harm):
    for path in sorted((out / "stored").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (out / "stored").rmdir()
    assert mend(out) == []
    harm(chunk(out, "classes"))
    (words,) = mend(out)
    assert "classes/0" in words
    run(out)
    assert Ledger(out).finished().all()


def test_what_is_whole_is_not_written(out):
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    assert mend(out) == []
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before


@pytest.mark.parametrize("name", ["zarr.json", "mean/0/zarr.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]"])
def test_what_cannot_be_mended_is_said_and_left(out, name, content):
    (out / name).write_bytes(content)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    with pytest.raises(OutputError) as caught:
        mend(out)
    assert out.name in str(caught.value)
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_no_prediction_has_nothing_to_mend(tmp_path):
    assert mend(tmp_path / "nowhere.zarr") == []


def test_a_flat_prediction_is_mended_as_any(tmp_path):
    out, image = tmp_path / "p.zarr", image_of((40, 50))
    flat = {"window": (1, 16, 16), "border": (0, 2, 2)}
    run(out, image, **flat)
    before = files(out)
    cut(chunk(out, "mean"))
    (words,) = mend(out)
    assert "mean/0" in words
    run(out, image, **flat)
    assert files(out) == before
