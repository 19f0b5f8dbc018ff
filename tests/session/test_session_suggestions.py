"""A suggestion becomes paint only where nobody painted, and only when it is wanted."""

import shutil
import time
from types import SimpleNamespace

import numpy as np
import pytest

from napari_sashiko.errors import LabelError, OutputError, SashikoError
from napari_sashiko.labels import BetweenSettings
from napari_sashiko.session import Session
from napari_sashiko.volumes import as_volume

SETTINGS = BetweenSettings()


@pytest.fixture
def session(engine, blobs):
    desk = Session(engine)
    desk.set_volume(as_volume(blobs, axes="zyx", name="blobs"))
    store = desk.labels.start()
    store.array[0, 4:8, 4:20] = store.array[4, 4:8, 4:20] = 1
    store.array[1, 20:30, 4:20] = store.array[5, 20:30, 4:20] = 2
    yield desk
    desk.shutdown()


def pump_until(session, done, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "nothing happened in time"
        session.pump()
        time.sleep(0.01)


def fill(session, class_id=1, settings=SETTINGS):
    session.between.fill(class_id, settings)
    pump_until(session, lambda: not session.is_running("between"))
    session.pump()
    return session.between.suggestion


def test_a_suggestion_is_no_paint(session):
    before = np.array(session.labels.paint.store.array)
    heard = []
    session.between.changed.connect(lambda: heard.append(session.between.suggestion))
    found = fill(session)
    assert heard == [found]
    assert (len(found), found.slices, found.class_ids) == (3 * 64, 3, (1,))
    np.testing.assert_array_equal(session.labels.paint.store.array, before)


def test_accepting_paints_counts_and_saves(session):
    fill(session)
    session.labels.save()
    assert session.between.accept() == 3 * 64
    assert session.between.suggestion is None
    assert session.labels.paint.counts() == {1: 5 * 64, 2: 2 * 160}
    assert session.labels.paint.dirty
    session.labels.save()
    array = session.labels.paint.store.array
    assert (np.asarray(array[:5, 4:8, 4:20]) == 1).all()


def test_what_was_painted_meanwhile_is_left_out(session):
    fill(session)
    array = session.labels.paint.store.array
    array[2, 4:8, 4:10] = 2
    array[1, 4:8, 4:10] = 1
    assert session.between.accept() == 64 + 2 * 4 * 10
    assert (np.asarray(array[2, 4:8, 4:10]) == 2).all()
    assert (np.asarray(array[2, 4:8, 10:20]) == 1).all()


def test_whoever_keeps_a_history_paints(session):
    found = fill(session)
    kept = []
    painted = session.between.accept(lambda places, value: kept.append((places, value)))
    assert painted == len(found) == sum(len(places[0]) for places, _ in kept)
    assert {value for _, value in kept} == {1}
    assert session.labels.paint.counts()[1] == 2 * 64


def test_discarding_leaves_no_trace(session):
    fill(session)
    heard = []
    session.between.changed.connect(lambda: heard.append(True))
    session.between.discard()
    assert heard == [True]
    assert session.between.suggestion is None
    assert session.labels.paint.counts() == {1: 2 * 64, 2: 2 * 160}
    with pytest.raises(LabelError, match="Fill between slices"):
        session.between.accept()


def test_classes_are_suggested_together_along_one_axis(session):
    fill(session, 1)
    found = fill(session, 2)
    assert found.class_ids == (1, 2)
    assert np.bincount(found.values).tolist() == [0, 3 * 64, 3 * 160]
    assert fill(session, 1).class_ids == (2, 1)
    assert fill(session, 1, BetweenSettings(axis=1)).class_ids == (1,)


def test_a_refused_disk_leaves_the_rest_to_be_accepted_later(session, monkeypatch):
    fill(session)
    full = SimpleNamespace(free=0)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _path: full)
        with pytest.raises(OutputError, match="nothing was painted"):
            session.between.accept()
    assert session.between.accept() == 3 * 64


def test_another_volume_takes_the_suggestion_away(session, blobs):
    fill(session)
    session.set_volume(as_volume(blobs + 1, axes="zyx", name="other"))
    assert session.between.suggestion is None


def test_a_renamed_class_leaves_the_suggestion(session):
    found = fill(session)
    first, second = session.labels.classes
    session.labels.set_classes((first.model_copy(update={"name": "matrix"}), second))
    assert session.between.suggestion is found


def test_what_is_found_after_discarding_is_not_shown(session):
    session.between.fill(1, SETTINGS)
    job = session.job("between")
    assert job.wait(30)
    session.between.discard()
    pump_until(session, lambda: not session.is_running("between"))
    session.pump()
    assert session.between.suggestion is None


def test_paint_that_fits_nothing_is_an_empty_suggestion(session):
    assert len(fill(session, 1, BetweenSettings(axis=2))) == 0
    assert session.between.accept() == 0


def test_what_cannot_be_filled_is_refused_in_words(session, blobs):
    with pytest.raises(LabelError, match="no class 9"):
        session.between.fill(9, SETTINGS)
    session.between.fill(1, SETTINGS)
    with pytest.raises(SashikoError, match="still running"):
        session.between.fill(1, SETTINGS)
    session.set_volume(as_volume(blobs[0], axes="yx", name="flat"))
    session.labels.start()
    with pytest.raises(LabelError, match="volume"):
        session.between.fill(1, SETTINGS)
