"""Looking for places: with the paint of now, by what answers fastest."""

import time

import numpy as np
import pytest

from napari_sashiko.errors import ModelError, OutputError, VolumeError
from napari_sashiko.session import Session
from napari_sashiko.session.looking import looked_for
from napari_sashiko.volumes import as_volume


@pytest.fixture
def session(engine, blobs):
    desk = Session(engine)
    desk.set_volume(as_volume(blobs, axes="zyx", name="blobs"))
    yield desk
    desk.shutdown()


@pytest.fixture
def model(session):
    path = session.place("models") / "one.sashiko-model"
    path.mkdir()
    (path / "model.json").write_text("2")
    return path


def pump_until(session, done, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "nothing happened in time"
        session.pump()
        time.sleep(0.01)


def test_places_come_by_an_event_and_the_newest_model_is_asked(session, model, engine):
    heard = []
    session.event.connect(lambda kind, event: heard.append((kind, event)))
    session.labels.start().array[2, 4:8, 4:20] = 2
    session.steps.find_places()
    pump_until(session, lambda: not session.is_running("places"))
    session.pump()
    kinds = {kind for kind, _ in heard}
    last = heard[-1][1]
    assert kinds == {"places"}
    assert last.complete
    assert last.places == engine.places
    ((source, volume, labelled),) = engine.searched
    assert (source, volume) == (model, session.volume)
    assert len(labelled) == 64


def test_without_paint_places_are_found_too(session, model, engine):
    session.steps.find_places()
    pump_until(session, lambda: engine.searched)
    assert engine.searched[0][2] is None


def test_without_model_or_volume_it_is_said(session, engine):
    with pytest.raises(ModelError, match="Train"):
        session.steps.find_places()
    bare = Session(engine)
    with pytest.raises(VolumeError, match="Open an image"):
        bare.steps.find_places(session.folder)
    bare.shutdown()


@pytest.mark.parametrize(
    ("said", "is_read"),
    [((8, 8), True), ((3, 8), False), (None, False), (OutputError("Other."), False)],
)
def test_only_a_finished_prediction_of_this_model_is_read(
    engine, blobs, tmp_path, said, is_read
):
    def check_prediction(model, volume, out):
        if isinstance(said, Exception):
            raise said
        return said

    engine.check_prediction = check_prediction
    model, prediction = tmp_path / "m.sashiko-model", tmp_path / "m.zarr"
    prediction.mkdir()
    volume = as_volume(blobs)
    list(looked_for(engine, model, prediction, volume, None))
    assert engine.searched[0][0] == (prediction if is_read else model)


@pytest.mark.parametrize(
    ("place", "near"),
    [
        ((2, 5, 5), True),
        ((1, 2, 2), True),
        ((0, 5, 5), False),
        ((2, 1, 5), False),
        ((5, 39, 49), False),
    ],
)
def test_paint_is_near_within_the_reach_of_every_axis(session, place, near):
    session.labels.start().array[2, 5, 5] = 1
    assert session.labels.paint.is_near(place, (1, 3, 3)) is near


def test_stopping_a_search_keeps_what_it_told(session, model, engine):
    engine.seconds = 0.05
    engine.places = engine.places * 2000
    heard = []
    session.event.connect(lambda _kind, event: heard.append(event))
    job = session.steps.find_places()
    pump_until(session, lambda: any(hasattr(e, "places") for e in heard))
    session.stop("places")
    assert job.wait(30)
    assert job.status.state == "cancelled"
    told = [event for event in heard if hasattr(event, "places")]
    assert told[-1].unsure
    assert not told[-1].complete


def test_a_preview_knows_its_doubt():
    from napari_sashiko.session import PreviewReady  # noqa: PLC0415

    mean = np.array([0.7, 0.3], np.float32).reshape(2, 1, 1, 1)
    std = np.array([0.1, 0.2], np.float32).reshape(2, 1, 1, 1)
    ready = [
        PreviewReady(None, (), None, mean, each, None, ("forest", "network"))
        for each in (std, np.zeros_like(std))
    ]
    assert [each.members_differ for each in ready] == [True, False]
    assert [each.doubt.item() for each in ready] == pytest.approx([0.2, 0.3])
