"""Label store: what paint costs, and that none is lost or half written."""

import shutil
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from napari_sashiko.errors import LabelError, OutputError
from napari_sashiko.labels import LabelStore, default_classes

SHAPE = (5, 70, 140)  # blocks of 64 are cut at the faces
HUGE = (1000, 2000, 2000)
BLOCKS = 8 * 64**3  # bytes


@pytest.fixture
def store(tmp_path):
    return LabelStore.create(tmp_path / "store", SHAPE, default_classes(3))


def truth(store):
    counts = np.bincount(np.asarray(store.array).ravel(), minlength=256)
    return {value: int(counts[value]) for value in store.counts()}


@pytest.mark.parametrize(
    "key", [(9, 0, 0), (0, 0, 0, 0), "z", ([0, 9], [0, 0], [0, 0])], ids=str
)
def test_an_index_that_does_not_fit_is_refused_and_nothing_is_painted(store, key):
    with pytest.raises((IndexError, ValueError, TypeError)):
        store.array[key] = 1
    assert store.counts() == truth(store) == {1: 0, 2: 0, 3: 0}


def test_a_value_that_does_not_fit_is_refused_and_nothing_is_painted(store):
    with pytest.raises(OverflowError):
        store.array[0, :5, :5] = 256
    with pytest.raises(ValueError, match="broadcast"):
        store.array[0, :5, :5] = np.ones((2, 3))
    assert store.counts() == truth(store) == {1: 0, 2: 0, 3: 0}


def test_a_painter_that_works_in_a_view_is_counted_when_it_writes_back(store):
    part = np.asarray(store.array[1, :, :])  # as a fill does
    part[10:20, 10:20] = 2
    store.array[1:2, 10:20, 10:20] = part[None, 10:20, 10:20]
    assert store.counts()[2] == 100


def test_erased_blocks_leave_the_index(store):
    store.array[:, 66:, :] = 2
    store.array[:, 66:, :] = 0
    store.flush()
    assert '"blocks": []' in (store.folder / "labels.json").read_text()
    assert len(store.labelled()) == 0


def test_a_full_disk_refuses_paint_instead_of_ending_the_process(store, monkeypatch):
    store.array[0, :3, :3] = 1
    usage = SimpleNamespace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(OutputError, match="nothing was painted"):
        store.array[1, :3, :3] = 1
    assert store.counts()[1] == truth(store)[1] == 9


def test_a_folder_that_went_away_is_said(store):
    shutil.rmtree(store.folder)
    with pytest.raises(OutputError, match=r"store"):
        store.array[1, :3, :3] = 1


def test_paint_of_another_size_is_never_written_over(store):
    store.array[3, 60:68, 120:130] = 2
    store.close()
    (store.folder / "labels.json").unlink()
    with pytest.raises(LabelError, match="already"):
        LabelStore.create(store.folder, (1, 2, 3), default_classes(3))


def test_an_index_that_is_older_than_the_paint_is_mended(store):
    store.array[0, :9, :9] = 1
    store.flush()
    store.array[4, 65:, 130:] = 2  # not flushed: the process ended here
    found = LabelStore.open(store.folder)
    assert found.counts() == store.counts() == truth(store)
    assert len(found.labelled()) == 81 + 50


@pytest.fixture
def huge(tmp_path):
    return LabelStore.create(tmp_path / "huge", HUGE, default_classes(2))


def memory_of(work):
    """Most bytes that were in use at a time."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def dab(store, number):
    y, x = 900 + number, 700 + 2 * number
    key = (slice(500, 501), slice(y, y + 20), slice(x, x + 20))
    part = np.asarray(store.array[key])
    part[:] = 1 + number % 2
    store.array[key] = part


def test_a_dab_touches_the_blocks_under_it_alone(huge):
    dab(huge, 0)  # what is made once
    assert memory_of(lambda: [dab(huge, number) for number in range(1, 60)]) < BLOCKS
    assert sum(huge.counts().values()) > 0


def test_two_far_voxels_touch_nothing_between(huge):
    far = np.array([0, 999]), np.array([0, 1999]), np.array([0, 1999])

    def paint():
        huge.array[far] = 1

    assert memory_of(paint) < BLOCKS
    assert huge.counts()[1] == 2
