"""The desk keeps what was painted, runs one job of a kind, and ends cleanly."""

import time
from dataclasses import fields
from inspect import signature

import numpy as np
import pytest

from napari_sashiko.errors import LabelError, ModelError, SashikoError, VolumeError
from napari_sashiko.labels import LabelClass
from napari_sashiko.runners import Message, Tick
from napari_sashiko.session import Session
from napari_sashiko.session import paint as paints
from napari_sashiko.volumes import as_volume


@pytest.fixture
def session(engine):
    desk = Session(engine)
    yield desk
    desk.shutdown()


@pytest.fixture
def volume(blobs):
    return as_volume(blobs, axes="zyx", name="blobs")


def paint_two_classes(session):
    store = session.labels.start()
    store.array[2, 4:8, 4:20] = 1
    store.array[3, 20:24, 4:20] = 2
    return store


def pump_until(session, done):
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, "nothing happened in time"
        session.pump()
        time.sleep(0.01)


def test_a_desk_without_volume_says_what_to_do(session):
    with pytest.raises(VolumeError, match="Open an image"):
        session.labels.start()


def test_a_volume_without_paint_says_what_to_do(session, volume):
    session.set_volume(volume)
    with pytest.raises(LabelError, match="Start labelling"):
        session.steps.train(None)


def test_paint_is_saved_soon_after_the_last_stroke(session, volume):
    session.set_volume(volume)
    saved = []
    session.paint_saved.connect(lambda: saved.append(1))
    paint_two_classes(session)
    assert session.labels.paint.dirty
    pump_until(session, lambda: saved)
    assert not session.labels.paint.dirty


def test_paint_is_saved_even_while_the_hand_never_rests(session, volume, monkeypatch):
    monkeypatch.setattr(paints, "REST_SECONDS", 60)  # a slow machine is no resting hand
    session.set_volume(volume)
    store = session.labels.start()
    session.labels.save()
    rests, before = [], session.labels.paint.saved_at
    session.paint_saved.connect(lambda: rests.append(1))

    def paint_on():
        store.array[0, 0, 0] = 1
        return session.labels.paint.saved_at > before

    pump_until(session, paint_on)
    assert session.labels.paint.dirty  # the last dabs are not saved yet
    assert not rests


def test_the_same_volume_finds_its_paint_again(engine, volume, blobs):
    first = Session(engine)
    first.set_volume(volume)
    paint_two_classes(first)
    first.shutdown()
    second = Session(engine)
    second.set_volume(as_volume(blobs.copy(), axes="zyx", name="blobs"))
    assert second.labels.is_saved()
    store = second.labels.start()
    np.testing.assert_array_equal(np.unique(store.array[2]), [0, 1])
    assert second.labels.paint.counts() == {1: 64, 2: 64}
    second.shutdown()


def test_a_renamed_volume_finds_its_paint_again(session, volume, blobs):
    session.set_volume(volume)
    paint_two_classes(session)
    session.labels.save()
    session.set_volume(as_volume(blobs, axes="zyx", name="other"), name="other")
    assert session.labels.is_saved()


def test_another_volume_of_that_name_does_not_get_the_paint(session, volume, blobs):
    session.set_volume(volume)
    paint_two_classes(session)
    session.set_volume(as_volume(blobs + 1, axes="zyx", name="blobs"))
    assert not session.labels.is_saved()


def test_a_file_has_its_project_beside_it(session, volume, tmp_path):
    path = tmp_path / "scan.tif"
    path.touch()
    session.set_volume(volume, path=path)
    session.labels.start()
    assert (tmp_path / "scan.tif.sashiko" / "labels" / "labels.json").exists()


def test_a_changed_file_of_another_shape_refuses_old_paint(session, volume, tmp_path):
    path = tmp_path / "scan.tif"
    path.touch()
    session.set_volume(volume, path=path)
    session.labels.start()
    other = as_volume(np.zeros((6, 40, 51), np.float32), axes="zyx", name="blobs")
    session.labels._paints.clear()
    session.set_volume(other, path=path)
    with pytest.raises(LabelError, match=r"\(6, 40, 50\).*\(6, 40, 51\)"):
        session.labels.start()


def test_adding_a_class_never_renumbers_the_others(session, volume):
    session.set_volume(volume)
    paint_two_classes(session)
    third = LabelClass(id=9, name="void", color="#112233")
    session.labels.set_classes((*session.labels.classes, third))
    assert [c.id for c in session.labels.classes] == [1, 2, 9]
    assert session.labels.paint.counts() == {1: 64, 2: 64}


def test_adopted_labels_are_copied(session, volume):
    session.set_volume(volume)
    theirs = np.zeros(volume.shape, np.int32)
    theirs[1, 3:5] = 4
    session.labels.adopt(theirs)
    pump_until(session, lambda: session.labels.paint is not None)
    assert session.labels.paint.counts() == {4: 100}
    session.labels.paint.store.array[0, 0, 0] = 1
    assert theirs[0, 0, 0] == 0


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.zeros((6, 40, 51), np.uint8), r"\(6, 40, 51\).*\(6, 40, 50\)"),
        (np.zeros((6, 40, 50), np.float32), "float32"),
    ],
)
def test_labels_that_do_not_fit_are_refused_at_once(session, volume, labels, sentence):
    session.set_volume(volume)
    with pytest.raises(LabelError, match=sentence):
        session.labels.adopt(labels)


def waiting():
    while True:
        yield Tick()


def test_labels_are_opened_once_whoever_opens_them(session, volume):
    session.set_volume(volume)
    paint_two_classes(session)
    session.labels.save()
    folder = session.folder
    del session.labels._paints[folder]  # as when it is opened the next time
    session.labels.turn_to(folder)
    session.labels.go_on()
    session.labels.start()  # and is there first
    paint = session.labels.paint
    pump_until(session, lambda: not session.is_running("adopt"))
    session.pump()
    assert session.labels.paint is paint
    paint.store.array[0, 0, 0] = 1
    assert paint.counts()[1] == 4 * 16 + 1


def test_nothing_is_restored_while_labels_are_opened(session, volume):
    session.set_volume(volume)
    session.start("adopt", waiting)
    with pytest.raises(LabelError, match="being read"):
        session.reopen()
    session.stop("adopt")


def test_labels_change_places_neither_while_learned_from_nor_while_restored(
    session, volume
):
    session.set_volume(volume)
    session.labels.start()
    begun = session.labels.paint
    for kind, why in (("train", "Training follows"), ("reopen", "looked through")):
        session.start(kind, waiting)
        with pytest.raises(LabelError, match=why):
            session.labels.adopt(np.ones(volume.shape, np.uint8))
        assert session.labels.paint is begun
        session.stop(kind)
        pump_until(session, lambda kind=kind: not session.is_running(kind))
    session.labels.adopt(np.ones(volume.shape, np.uint8))
    assert session.labels.paint is None
    pump_until(session, lambda: session.labels.paint is not None)
    assert session.labels.paint is not begun


def test_adopting_never_destroys_paint(session, volume):
    session.set_volume(volume)
    paint_two_classes(session)
    with pytest.raises(LabelError, match="lost"):
        session.labels.adopt(np.ones(volume.shape, np.uint8))


def test_training_reaches_the_end_and_leaves_a_model(session, volume, engine):
    session.set_volume(volume)
    paint_two_classes(session)
    events = []
    session.event.connect(lambda kind, event: events.append((kind, event)))
    session.steps.train(engine.TrainingSettings())
    pump_until(session, lambda: not session.is_running("train"))
    session.pump()
    kinds = [type(event).__name__ for kind, event in events if kind == "train"]
    assert kinds[0] == "TrainingStarted"
    assert kinds[-1] == "TrainingDone"
    assert session.models() == [session.last_model]
    assert len(session.shelf.card(session.last_model).members) == 2


def test_stopping_closes_the_generator_at_its_next_event(session, volume, engine):
    engine.seconds = 0.05
    engine.epochs = 100_000
    session.set_volume(volume)
    paint_two_classes(session)
    heard = []
    session.event.connect(lambda _kind, event: heard.append(type(event).__name__))
    job = session.steps.train(engine.TrainingSettings())
    pump_until(session, lambda: "EpochDone" in heard)
    session.stop("train")
    assert job.wait(30)
    assert job.status.state == "cancelled"
    assert engine.closed == 1


def test_a_second_job_of_a_kind_is_refused(session, volume, engine):
    engine.seconds = 0.05
    session.set_volume(volume)
    paint_two_classes(session)
    session.steps.train(engine.TrainingSettings())
    with pytest.raises(SashikoError, match="still running"):
        session.steps.train(engine.TrainingSettings())


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ModelError("The model is broken.", "Train again."), "Train again."),
        (MemoryError(), "memory"),
        (PermissionError(13, "Permission denied", "/x"), "Permission denied"),
        (ValueError("a\nb"), "ValueError: a"),
    ],
)
def test_a_failed_job_is_one_sentence(session, volume, engine, error, sentence):
    engine.fail = error
    session.set_volume(volume)
    paint_two_classes(session)
    said = []
    session.message.connect(lambda text, level: said.append((text, level)))
    session.steps.train(engine.TrainingSettings())
    pump_until(session, lambda: said)
    text, level = said[0]
    assert sentence in text
    assert "\n" not in text
    assert level == "error"


def test_shutdown_cancels_joins_and_saves(engine, volume):
    engine.seconds = 0.02
    engine.epochs = 1000
    session = Session(engine)
    session.set_volume(volume)
    paint_two_classes(session)
    job = session.steps.train(engine.TrainingSettings())
    session.labels.paint.store.array[5, 0, 0] = 1
    session.shutdown()
    assert job.status.ended
    again = Session(engine)
    again.set_volume(volume)
    again.labels.start()
    assert again.labels.paint.counts()[1] == 65
    again.shutdown()


def test_a_closed_desk_starts_nothing(session, volume):
    session.shutdown()
    with pytest.raises(SashikoError, match="closed"):
        session.start("train", lambda: iter(()))


def test_events_come_in_order_and_only_once(session):
    def work():
        for number in range(50):
            yield Message(str(number))
            yield Tick()

    heard = []
    session.event.connect(lambda _kind, event: heard.append(event))
    session.start("predict", work)
    pump_until(session, lambda: not session.is_running("predict"))
    session.pump()
    assert [int(event.text) for event in heard] == list(range(50))


def test_a_model_of_an_earlier_volume_stays_within_reach(
    session, volume, blobs, engine
):
    session.set_volume(volume)
    paint_two_classes(session)
    session.steps.train(engine.TrainingSettings())
    pump_until(session, lambda: not session.is_running("train"))
    model = session.last_model
    session.set_volume(as_volume(blobs[:, ::2], axes="zyx", name="other"))
    assert session.last_model == model


def test_opening_what_is_no_model_is_refused(session, tmp_path):
    with pytest.raises(ModelError):
        session.open_model(tmp_path)
    assert session.models() == []


def test_the_fake_engine_says_what_the_real_one_says(engine):
    real = pytest.importorskip("napari_sashiko.pipeline")
    for fake in engine.events:
        names = [field.name for field in fields(fake)]
        assert names == [field.name for field in fields(getattr(real, fake.__name__))]


def test_the_fake_engine_is_called_like_the_real_one(engine):
    real = pytest.importorskip("napari_sashiko.pipeline")
    names = (
        *("train_steps", "live_steps", "preview", "load_card"),
        *("part_names", "part_settings"),
    )
    names += ("note_image", "place_steps", "model_scores")
    for name in names:
        fake, true = (
            signature(getattr(each, name)).parameters for each in (engine, real)
        )
        required = [
            sum(p.default is p.empty for p in each.values()) for each in (fake, true)
        ]
        assert required[0] == required[1], name
        named = {n for n, p in fake.items() if p.kind is p.KEYWORD_ONLY}
        assert named <= set(true), name


def test_a_listener_that_fails_keeps_no_news_of_jobs_from_the_others(session):
    heard = []

    def fail(_kind, event):
        heard.append(event.text)
        raise TypeError(f"cannot take {event.text}")

    def talk():
        yield Message("one")
        yield Message("two")

    session.event.connect(fail)
    session.job_changed.connect(lambda kind: heard.append((kind, "ended")))
    jobs = [session.start(kind, talk) for kind in ("train", "predict")]
    assert all(job.wait(30) for job in jobs)
    heard.clear()
    with pytest.raises(Exception, match="cannot take one"):
        session.pump()
    told = ["one", "two"]
    assert heard == [*told, ("train", "ended"), *told, ("predict", "ended")]
    session.pump()


def test_the_end_of_a_job_is_told_by_pump_alone(session):
    heard = []

    def listen(kind):
        time.sleep(0.05)  # far longer than the work takes
        heard.append((kind, session.is_running(kind)))

    session.job_changed.connect(listen)
    job = session.start("train", lambda: iter([Message("short")]))
    assert heard == [("train", True)]
    assert job.wait(30)
    session.pump()
    assert heard == [("train", True), ("train", False)]
