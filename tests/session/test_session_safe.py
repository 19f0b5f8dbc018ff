"""Paint is never lost: saved in the background, tried again, locked against others."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from napari_sashiko.errors import LabelError, OutputError
from napari_sashiko.labels import LabelClass, LabelStore, default_classes
from napari_sashiko.session import Session
from napari_sashiko.session import paint as paints
from napari_sashiko.session.paint import adopt_paint
from napari_sashiko.volumes import as_volume


@pytest.fixture
def volume(blobs):
    return as_volume(blobs, axes="zyx", name="blobs")


@pytest.fixture
def desks(engine):
    """Make desks, which are closed in the end."""
    made = []

    def make(volume=None, **options):
        desk = Session(engine)
        desk.said = []
        desk.message.connect(lambda text, level: desk.said.append((text, level)))
        made.append(desk)
        if volume is not None:
            desk.set_volume(volume, **options)
        return desk

    yield make
    for desk in made:
        desk.shutdown()


def pump_until(session, done, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "nothing happened in time"
        session.pump()
        time.sleep(0.01)


def test_saving_keeps_neither_the_hand_nor_the_window_waiting(
    desks, volume, monkeypatch
):
    session = desks(volume)
    store = session.labels.start()
    flush, disk = store.flush, threading.Event()

    def slow():
        disk.wait(30)
        flush()

    monkeypatch.setattr(store, "flush", slow)
    rests, before = [], session.labels.paint.saved_at
    session.paint_saved.connect(lambda: rests.append(1))
    store.array[0, 0, :9] = 1
    pump_until(session, lambda: session.labels.paint._saving is not None)
    for _ in range(20):
        store.array[1, 0, :9] = 1
        session.pump()
    assert session.labels.paint.counts() == {1: 18}
    assert session.labels.paint.dirty
    assert session.labels.paint.saved_at == before
    disk.set()
    pump_until(session, lambda: rests)
    assert not session.labels.paint.dirty
    assert session.labels.paint.saved_at > before


def test_training_waits_for_the_disk_and_the_window_does_not(
    desks, volume, engine, monkeypatch
):
    session = desks(volume)
    store = session.labels.start()
    flush, disk = store.flush, threading.Event()

    def slow():
        assert disk.wait(30)
        flush()

    monkeypatch.setattr(store, "flush", slow)
    store.array[0, 0, :9] = 1
    store.array[1, 0, :9] = 2
    job = session.steps.train(engine.TrainingSettings())
    assert not job.wait(0.1)
    disk.set()
    pump_until(session, lambda: job.wait(0))
    assert job.status.state == "done"
    assert not (session.folder / "labels" / "labels.dirty").exists()


def test_closing_waits_for_a_save_and_saves_what_came_after(desks, volume, engine):
    session = desks(volume)
    store = session.labels.start()
    store.array[0, 0, :9] = 1
    pump_until(session, lambda: session.labels.paint._saving is not None)
    store.array[1, 0, :9] = 2
    session.shutdown()
    assert not session.labels.paint.dirty
    assert not (session.folder / "labels" / "labels.dirty").exists()


def test_a_disk_that_is_full_for_a_while_loses_nothing(desks, volume, monkeypatch):
    monkeypatch.setattr(paints, "SECONDS_TO_RETRY", 0.1)
    session = desks(volume)
    store = session.labels.start()
    session.labels.save()
    flush, full = store.flush, [True]

    def flush_if_room():
        if full[0]:
            raise OutputError("Paint cannot be saved: the disk is full.")
        flush()

    monkeypatch.setattr(store, "flush", flush_if_room)
    store.array[0, 0, :9] = 1
    pump_until(session, lambda: session.said)
    assert session.labels.paint.dirty
    start = time.monotonic()
    pump_until(session, lambda: time.monotonic() - start > 1.0)
    assert session.said == [("Paint cannot be saved: the disk is full.", "error")]
    full[0] = False
    pump_until(session, lambda: not session.labels.paint.dirty)


def test_a_full_disk_at_closing_is_said_not_raised(desks, volume, monkeypatch):
    session = desks(volume)
    store = session.labels.start()

    def full():
        raise OutputError("Paint cannot be saved: the disk is full.")

    monkeypatch.setattr(store, "flush", full)
    store.array[0, 0, :9] = 1
    session.shutdown()
    assert session.said == [("Paint cannot be saved: the disk is full.", "error")]
    assert session.closed


# Two windows


def test_a_second_window_sees_the_paint_and_cannot_change_it(desks, volume):
    first, second = desks(volume), desks(volume)
    first.labels.start().array[0, 0, :9] = 1
    store = second.labels.start()
    assert second.labels.paint.readonly
    ((text, level),) = second.said
    assert "open in another window" in text
    assert level == "warning"
    first.labels.paint.store.array[0, 1, :9] = 2
    np.testing.assert_array_equal(store.array[0, 1, :9], 2)  # as it is painted
    with pytest.raises(LabelError, match="reading only"):
        store.array[0, 0, 0] = 2
    with pytest.raises(LabelError, match="reading only"):
        second.labels.set_classes(default_classes(3))
    with pytest.raises(OutputError, match="open in another window"):
        second.steps.train(None)
    with pytest.raises(OutputError, match="Close it there"):
        second.place("predictions")


def test_a_second_window_makes_no_labels_of_its_own(desks, volume):
    first, second = desks(volume), desks(volume)
    first.place("models")
    with pytest.raises(OutputError, match="open in another window"):
        second.labels.start()
    with pytest.raises(OutputError, match="open in another window"):
        second.labels.adopt(np.ones(volume.shape, np.uint8))


def test_the_window_that_is_left_gets_the_project(desks, volume):
    first, second = desks(volume), desks(volume)
    first.labels.start().array[0, 0, :9] = 1
    assert second.busy()
    first.shutdown()
    assert second.labels.start().counts()[1] == 9
    assert not second.labels.paint.readonly


HOLDER = """
import sys
from pathlib import Path
from napari_sashiko.volumes import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.take()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_crashed_window_blocks_nobody(desks, volume):
    session = desks(volume)
    session.folder.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(session.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(OutputError, match=f"process {other.pid}"):
            session.labels.start()
        other.kill()
        other.wait()
    session.labels.start()
    assert not session.labels.paint.readonly


# What the project knows


def test_the_project_knows_image_and_classes_from_the_first_dab(desks, volume, engine):
    session = desks(volume)
    session.labels.start()
    pump_until(session, lambda: engine.noted)
    folder, noted, image, classes = engine.noted[-1]
    assert (folder, noted, image) == (session.folder, volume, None)
    session.labels.set_classes(
        (*classes, LabelClass(id=7, name="void", color="#112233"))
    )
    pump_until(session, lambda: len(engine.noted) > 1)
    assert [c.name for c in engine.noted[-1][3]][-1] == "void"


def test_damaged_paint_is_opened_and_said(desks, volume):
    session = desks(volume)
    session.labels.start().array[0, 0, :9] = 1
    session.shutdown()
    (session.folder / "labels" / "labels.json").write_text("{")
    again = desks(volume)
    assert again.labels.is_saved()
    again.labels.start()
    assert again.labels.paint.counts() == {1: 9}
    ((text, level),) = again.said
    assert "labels.json" in text
    assert level == "warning"


def test_labels_whose_copying_was_interrupted_are_copied_anew(tmp_path):
    folder, labels = tmp_path / "labels", np.zeros((3, 8, 9), np.uint8)
    labels[:, 2:5] = 1
    store = LabelStore.create(folder, labels.shape, default_classes(2))
    store.array[0] = labels[0]
    store.close()
    (folder / "labels.adopting").touch()
    paint = adopt_paint(folder, labels, None)
    np.testing.assert_array_equal(paint.store.array, labels)
    assert not (folder / "labels.adopting").exists()


@pytest.mark.parametrize("painted", [False, True])
def test_half_a_copy_that_was_opened_is_copied_anew_unless_it_was_painted_on(
    desks, volume, painted
):
    session = desks(volume)
    labels = np.zeros(volume.shape, np.uint8)
    labels[:, 2:5] = 1
    store = session.labels.start()
    store.array[0] = labels[0]
    store.flush()
    (session.folder / "labels" / "labels.adopting").touch()
    session.shutdown()
    again = desks(volume)
    again.labels.start()
    assert "Copy them again" in again.said[0][0]
    if painted:
        again.labels.paint.store.array[1, 30, 30] = 2
        with pytest.raises(LabelError, match="would be lost"):
            again.labels.adopt(labels)
        return
    again.labels.adopt(labels)
    pump_until(again, lambda: again.labels.paint is not None)
    np.testing.assert_array_equal(again.labels.paint.store.array[:], labels)


def test_a_project_is_known_by_its_image_wherever_that_lies_now(desks, volume):
    session = desks(volume)
    session.labels.start()
    session.shutdown()
    other = desks()
    elsewhere = session.folder.parent / "elsewhere.sashiko"
    session.folder.rename(elsewhere)
    other.projects.expect(volume.content_digest(), elsewhere)
    other.set_volume(volume)
    assert other.folder == elsewhere
    assert other.labels.is_saved()


def test_what_is_kept_is_counted(desks, volume):
    session = desks(volume)
    assert session.kept() == ""
    for name in ("one", "two"):
        (session.place("models") / f"{name}.sashiko-model").mkdir()
        (session.place("models") / f"{name}.sashiko-model" / "model.json").touch()
    (session.place("predictions") / "one.zarr").mkdir()
    assert session.kept() == "2 models, 1 segmentation"


def test_an_array_finds_its_project_whatever_its_voxels_are_said_to_measure(home):
    array = np.random.default_rng(0).random((4, 30, 30)).astype("f4")
    one, other = Session(), Session()
    one.set_volume(as_volume(array), name="a")
    one.folder.mkdir(parents=True)
    other.set_volume(as_volume(array, voxel_size=(3, 1, 1), unit="nm"), name="b")
    assert one.folder == other.folder


def test_a_project_that_an_earlier_version_marked_is_found(home):
    volume = as_volume(np.random.default_rng(0).random((4, 30, 30)).astype("f4"))
    session = Session()
    session.set_volume(volume, name="a")
    old = session.folder.with_name(f"a-{volume.digest()[:10]}.sashiko")
    assert old != session.folder
    (old / "labels").mkdir(parents=True)
    session.set_volume(None)
    session.set_volume(volume, name="a")
    assert session.folder == old
