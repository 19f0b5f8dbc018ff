"""Damaged paint opens with what is whole, says what is not, and overwrites nothing."""

import json
import os
import sys

import numpy as np
import pytest

from napari_sashiko.errors import LabelError, OutputError
from napari_sashiko.labels import (
    LabelClass,
    LabelStore,
    accept_half,
    default_classes,
    holds_paint,
    was_interrupted,
)
from napari_sashiko.labels import store as stores

SHAPE = (9, 20, 30)
CLASSES = (
    LabelClass(id=2, name="matrix", color="#112233"),
    LabelClass(id=5, name="pore", color="#445566"),
)


@pytest.fixture
def folder(tmp_path):
    """A store with paint on all slices, and a copy of what was painted."""
    store = LabelStore.create(tmp_path / "labels", SHAPE, CLASSES)
    store.array[:, 3:9, 4:20] = 2
    store.array[4, 10:12, 4:20] = 5
    store.close()
    return tmp_path / "labels"


def painted():
    array = np.zeros(SHAPE, np.uint8)
    array[:, 3:9, 4:20] = 2
    array[4, 10:12, 4:20] = 5
    return array


def cut(name, size):
    def harm(folder):
        with (folder / name).open("r+b") as file:
            file.truncate(size)

    return harm


def write(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def remove(*names):
    def harm(folder):
        for name in names:
            (folder / name).unlink()

    return harm


def both(*harms):
    def harm(folder):
        for each in harms:
            each(folder)

    return harm


PLANE = SHAPE[1] * SHAPE[2]
NO_SPARE = remove("labels.spare.json")
ONE_CLASS = json.dumps(
    {
        "format_version": 1,
        "shape": SHAPE,
        "classes": [CLASSES[0].model_dump(), {"id": "?"}],
        "blocks": "lost",
    }
).encode()
# harm, words that are said, slices that are whole, are the classes kept, damaged file
DAMAGE = {
    "index cut": (cut("labels.json", 20), "labels.json", 9, True, "labels.json"),
    "index empty": (write("labels.json", b""), "labels.json", 9, True, "labels.json"),
    "index garbled": (
        write("labels.json", b"\xff\x00garbage"),
        "labels.json",
        9,
        True,
        "labels.json",
    ),
    "index another thing": (
        write("labels.json", b"[1, 2]"),
        "labels.json",
        9,
        True,
        "labels.json",
    ),
    "index deep": (
        write("labels.json", b"[" * 100_000),
        "labels.json",
        9,
        True,
        "labels.json",
    ),
    "index gone": (remove("labels.json"), "is missing", 9, True, None),
    "index and spare gone": (
        remove("labels.json", "labels.spare.json"),
        "names and colours of the classes are lost",
        9,
        False,
        None,
    ),
    "index and spare garbled": (
        both(write("labels.json", b"{"), write("labels.spare.json", b"{")),
        "names and colours",
        9,
        False,
        "labels.json",
    ),
    "index half readable": (
        both(write("labels.json", ONE_CLASS), NO_SPARE),
        "those that could be read",
        9,
        None,
        "labels.json",
    ),
    "paint cut": (
        cut("labels.raw", 5 * PLANE + 7),
        "first 5 slices",
        5,
        True,
        "labels.raw",
    ),
    "paint empty": (cut("labels.raw", 0), "first 0 slices", 0, True, "labels.raw"),
    "paint too long": (
        cut("labels.raw", 9 * PLANE + 100),
        "too long",
        9,
        True,
        "labels.raw",
    ),
    "paint gone": (remove("labels.raw"), "its voxels are lost", 0, True, None),
    "paint cut, index garbled": (
        both(cut("labels.raw", 5 * PLANE), write("labels.json", b"{")),
        "first 5 slices",
        5,
        True,
        "labels.raw",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
@pytest.mark.parametrize("holes", [True, False])
def test_damaged_paint_opens_with_what_is_whole(case, holes, folder, monkeypatch):
    harm, words, slices, classes, damaged = DAMAGE[case]
    if not holes:
        monkeypatch.delattr(os, "SEEK_DATA", raising=False)
    harm(folder)
    before = (folder / damaged).read_bytes() if damaged else None
    assert holds_paint(folder)
    store = LabelStore.rescue(folder, SHAPE)
    expected = painted()
    expected[slices:] = 0
    np.testing.assert_array_equal(store.array, expected)
    assert any(words in each for each in store.mended), store.mended
    assert not any("\n" in each for each in store.mended)
    values, counts = np.unique(expected[expected > 0], return_counts=True)
    found = {c: n for c, n in store.counts().items() if n}
    assert found == dict(zip(values.tolist(), counts.tolist(), strict=True))
    assert len(store.labelled()) == np.count_nonzero(expected)
    if classes:
        assert store.classes == CLASSES
    elif classes is None:
        assert CLASSES[0] in store.classes
    assert set(found) <= {each.id for each in store.classes}
    if damaged:
        assert (folder / f"{damaged}.damaged").read_bytes() == before
        assert f"{damaged}.damaged" in " ".join(store.mended)
    store.array[0, 0, 0] = 2  # it can be painted on
    store.close()
    again = LabelStore.rescue(folder, SHAPE)
    assert again.mended == ()
    assert again.array[0, 0, 0] == 2


def test_whole_paint_is_not_touched(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert LabelStore.rescue(folder, SHAPE).mended == ()
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_paint_of_an_unknown_shape_is_refused_not_guessed(folder):
    both(write("labels.json", b"{"), NO_SPARE)(folder)
    raw = (folder / "labels.raw").read_bytes()
    with pytest.raises(LabelError, match=r"damaged.*labels\.json"):
        LabelStore.rescue(folder)
    with pytest.raises(LabelError, match="damaged"):
        LabelStore.rescue(folder, (9, 20, 31))  # another image by now
    assert (folder / "labels.raw").read_bytes() == raw


@pytest.mark.parametrize("name", ["labels.json", "labels.spare.json"])
def test_paint_of_a_newer_version_is_not_mended(folder, name):
    record = json.loads((folder / name).read_text())
    newer = json.dumps({**record, "format_version": 99})
    (folder / "labels.json").unlink()
    (folder / name).write_text(newer)
    with pytest.raises(LabelError, match="Update"):
        LabelStore.rescue(folder, SHAPE)
    assert (folder / name).read_text() == newer


def test_a_disk_that_cannot_be_written_is_said(folder, monkeypatch):
    cut("labels.json", 3)(folder)

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        LabelStore.rescue(folder, SHAPE)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts blocks")
def test_the_copy_of_sparse_paint_is_sparse(tmp_path):
    shape = (400, 1000, 1000)
    store = LabelStore.create(tmp_path / "s", shape, default_classes(2))
    store.array[7, 5:9, 5:9] = 1
    store.close()
    cut("labels.raw", 399 * 1000 * 1000)(tmp_path / "s")
    again = LabelStore.rescue(tmp_path / "s", shape)
    assert again.counts()[1] == 16
    copy = (tmp_path / "s" / "labels.raw.damaged").stat()
    assert copy.st_size == 399 * 1000 * 1000
    assert copy.st_blocks * 512 < 50e6


def test_half_copied_labels_are_told_of_until_somebody_takes_them(
    tmp_path, monkeypatch
):
    class DiedError(BaseException):
        pass

    def die(store, labels, classes):
        store.array[:3] = np.asarray(labels[:3])
        raise DiedError

    with monkeypatch.context() as patch:
        patch.setattr(stores, "copy_labels", die)
        patch.setattr(stores, "remove_files", lambda *_: None)  # it died
        with pytest.raises(DiedError):
            LabelStore.adopt(tmp_path / "s", painted(), CLASSES)
    assert was_interrupted(tmp_path / "s")
    store = LabelStore.rescue(tmp_path / "s", SHAPE)
    assert "interrupted" in " ".join(store.mended)
    np.testing.assert_array_equal(store.array[:3], painted()[:3])
    store.close()
    assert was_interrupted(tmp_path / "s")
    accept_half(tmp_path / "s")
    assert LabelStore.rescue(tmp_path / "s", SHAPE).mended == ()


def test_a_store_for_reading_cannot_be_changed(folder):
    store = LabelStore.open(folder, readonly=True)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(LabelError, match="reading only"):
        store.array[0, 0, 0] = 2
    with pytest.raises(LabelError, match="reading only"):
        store.set_classes(default_classes(5))
    store.flush()
    store.close()
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_paint_drawn_while_it_is_saved_is_not_taken_for_saved(folder, monkeypatch):
    store = LabelStore.open(folder)
    sync = store._sync

    def paint_meanwhile():
        sync()
        store.array[8, 19, 29] = 5

    monkeypatch.setattr(store, "_sync", paint_meanwhile)
    store.array[0, 0, 0] = 2
    store.flush()
    assert (folder / "labels.dirty").exists()
    monkeypatch.undo()
    store.flush()
    assert not (folder / "labels.dirty").exists()
