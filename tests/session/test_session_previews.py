"""Of all previews that were asked for, only one for the newest place is shown."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from napari_sashiko.session import PreviewDesk

MODEL = Path("a.sashiko-model")
VOLUME = object()


def place(z):
    return (slice(z, z + 1), slice(0, 4), slice(0, 4))


def segment(model, volume, region):
    classes = np.full((1, 4, 4), region[0].start + 1, np.uint8)
    return None, None, classes


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("napari_sashiko.session.previews.SECONDS_BETWEEN", 0.0)
    return PreviewDesk(segment)


def run(desk):
    work = desk.next_work()
    for _ in work():
        pass


def test_an_answer_is_taken_once(desk):
    desk.ask(MODEL, 1, VOLUME, place(2))
    run(desk)
    ready = desk.take()
    assert ready.classes[0, 0, 0] == 3
    assert (ready.model, ready.members, ready.region) == (MODEL, 1, place(2))
    assert desk.take() is None


def test_an_answer_for_a_place_left_behind_is_dropped(desk):
    desk.ask(MODEL, 1, VOLUME, place(2))
    work = desk.next_work()
    desk.ask(MODEL, 1, VOLUME, place(3))
    for _ in work():
        pass
    assert desk.take() is None
    run(desk)
    assert desk.take().classes[0, 0, 0] == 4


def test_a_newer_model_does_not_starve_the_place_in_view(desk):
    desk.ask(MODEL, 1, VOLUME, place(2))
    work = desk.next_work()
    desk.ask(MODEL, 2, VOLUME, place(2))
    for _ in work():
        pass
    assert desk.take().members == 1
    run(desk)
    assert desk.take().members == 2


def test_only_the_newest_of_many_requests_is_worked_on(desk):
    for z in range(20):
        desk.ask(MODEL, 1, VOLUME, place(z))
    run(desk)
    assert desk.take().region == place(19)
    assert desk.next_work() is None


def test_forgotten_requests_are_neither_worked_on_nor_shown(desk):
    desk.ask(MODEL, 1, VOLUME, place(1))
    work = desk.next_work()
    desk.ask(MODEL, 1, VOLUME, place(1))
    desk.forget()
    for _ in work():
        pass
    assert desk.take() is None
    assert desk.next_work() is None


def test_requests_are_throttled():
    desk = PreviewDesk(segment)
    desk.ask(MODEL, 1, VOLUME, place(0))
    assert desk.next_work() is not None
    desk.ask(MODEL, 1, VOLUME, place(1))
    assert desk.next_work() is None
    time.sleep(0.45)
    assert desk.next_work() is not None


def test_a_result_may_arrive_from_another_thread(desk):
    desk.ask(MODEL, 1, VOLUME, place(2))
    work = desk.next_work()
    thread = threading.Thread(target=lambda: list(work()))
    thread.start()
    thread.join()
    assert desk.take() is not None
