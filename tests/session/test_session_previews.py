"""Of all previews that were asked for, only one for the newest place is shown."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from napari_sashiko.errors import ModelError
from napari_sashiko.session import Session
from napari_sashiko.volumes import as_volume


def place(z):
    return (slice(z, z + 1), slice(0, 4), slice(0, 4))


class Engine:
    """Segments when it is let, with as many members as the model has then."""

    def __init__(self):
        self.asked = []
        self.members = 1
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.threads = set()

    def preview(self, _model, _volume, region):
        self.asked.append(region)
        self.threads.add(threading.get_ident())
        self.may_answer.wait(60)
        classes = np.full((1, 4, 4), region[0].start + 1, np.uint8)
        mean = std = np.zeros((2, 1, 4, 4))
        voices = ("network",) * self.members
        return SimpleNamespace(mean=mean, std=std, classes=classes, voices=voices)


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def session(engine, monkeypatch):
    monkeypatch.setattr("napari_sashiko.session.previews.SECONDS_BETWEEN", 0.0)
    desk = Session(engine)
    desk.set_volume(as_volume(np.zeros((30, 4, 4), np.uint8), axes="zyx", name="a"))
    yield desk
    engine.may_answer.set()
    desk.shutdown()


@pytest.fixture
def shown(session):
    found = []
    session.previews.changed.connect(found.append)
    return found


@pytest.fixture
def model(tmp_path):
    return tmp_path / "1.sashiko-model"


def pump_until(session, done):
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end, "nothing happened in time"
        session.pump()
        time.sleep(0.005)


def rest(session):
    """Until nothing is asked for any more and nothing runs."""
    for _ in range(3):
        session.pump()
        pump_until(session, lambda: not session.is_running("preview"))


def hold(session, engine):
    """Start the request there is, and keep its answer back."""
    engine.may_answer.clear()
    before = len(engine.asked)
    pump_until(session, lambda: len(engine.asked) > before)


def test_without_a_model_there_is_nothing_to_ask(session):
    with pytest.raises(ModelError, match="Train one first"):
        session.previews.ask(place(0))


def test_an_answer_is_shown_once(session, shown, model):
    session.previews.ask(place(2), model)
    rest(session)
    (ready,) = shown
    assert ready.classes[0, 0, 0] == 3
    assert (ready.model, ready.region) == (model, place(2))
    assert ready.volume is session.volume


def test_an_answer_for_a_place_left_behind_is_dropped(session, engine, shown, model):
    session.previews.ask(place(2), model)
    hold(session, engine)
    session.previews.ask(place(3), model)
    engine.may_answer.set()
    rest(session)
    assert [ready.classes[0, 0, 0] for ready in shown] == [4]


def test_a_newer_model_does_not_starve_the_place_in_view(session, engine, shown, model):
    session.previews.ask(place(2), model, number=1, what="forest")
    hold(session, engine)
    session.previews.ask(place(2), model, number=2, what="networks")
    engine.may_answer.set()
    rest(session)
    said = [(ready.number, ready.what) for ready in shown]
    assert said == [(1, "forest"), (2, "networks")]


def test_an_answer_tells_of_the_model_that_it_was_computed_with(
    session, engine, shown, model
):
    session.previews.ask(place(2), model, number=1)
    hold(session, engine)
    engine.members = 3  # saved after the question, before the model was read
    engine.may_answer.set()
    rest(session)
    assert [ready.voices for ready in shown] == [("network",) * 3]


def test_only_the_newest_of_many_requests_is_worked_on(session, engine, shown, model):
    for z in range(20):
        session.previews.ask(place(z), model)
    rest(session)
    assert engine.asked == [place(19)]
    assert [ready.region for ready in shown] == [place(19)]


def test_forgotten_requests_are_neither_worked_on_nor_shown(
    session, engine, shown, model
):
    session.previews.ask(place(1), model)
    hold(session, engine)
    session.previews.ask(place(1), model)
    session.previews.forget()
    engine.may_answer.set()
    rest(session)
    assert engine.asked == [place(1)]
    assert not shown


def test_another_volume_makes_requests_stale(session, engine, shown, model):
    session.previews.ask(place(1), model)
    hold(session, engine)
    session.set_volume(as_volume(np.ones((9, 4, 4), np.uint8), axes="zyx", name="b"))
    engine.may_answer.set()
    rest(session)
    assert not shown


def test_requests_are_throttled(session, engine, model, monkeypatch):
    session.previews.ask(place(0), model)
    rest(session)
    monkeypatch.setattr("napari_sashiko.session.previews.SECONDS_BETWEEN", 1e6)
    session.previews.ask(place(1), model)
    rest(session)
    assert engine.asked == [place(0)]
    monkeypatch.setattr("napari_sashiko.session.previews.SECONDS_BETWEEN", 0.0)
    rest(session)
    assert engine.asked == [place(0), place(1)]


def test_answers_come_from_another_thread(session, engine, shown, model):
    session.previews.ask(place(2), model)
    rest(session)
    assert shown
    assert threading.get_ident() not in engine.threads
