"""A long call in a thread ticks, hands over its result, and can be left."""

import sys
import threading

import pytest

from napari_sashiko.runners import Tick, aside


def through(work):
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return events, end.value


def test_result_is_returned_without_a_tick_where_it_is_quick(monkeypatch):
    monkeypatch.setattr(sys.modules[aside.__module__], "HEARTBEAT", 30)
    assert through(aside(lambda: 3)) == ([], 3)


def test_it_ticks_until_the_call_ends():
    gate = threading.Event()
    work = aside(lambda: gate.wait(30))
    assert isinstance(next(work), Tick)
    assert isinstance(next(work), Tick)
    gate.set()
    assert through(work)[1] is True


def test_it_is_left_before_the_call_ends():
    began, gate, ended = (threading.Event() for _ in range(3))

    def call():
        began.set()
        gate.wait(30)
        ended.set()

    work = aside(call)
    while not began.is_set():
        next(work)
    work.close()
    assert not ended.is_set()
    gate.set()
    assert ended.wait(30)


def test_errors_come_through():
    def call():
        raise ValueError("no 7")

    with pytest.raises(ValueError, match="no 7"):
        through(aside(call))
