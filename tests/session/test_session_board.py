"""The board tells each change of a job once and ends all jobs when closed."""

import time

import pytest

from napari_sashiko.errors import SashikoError
from napari_sashiko.runners import Message, Tick
from napari_sashiko.session import JobBoard


@pytest.fixture
def board():
    board = JobBoard()
    yield board
    board.close()


def endless():
    while True:
        time.sleep(0.01)
        yield Tick()


def short():
    yield Message("one")
    yield Message("two")


def test_an_ended_job_is_reported_once_with_all_its_events(board):
    board.start("train", short, name="short").wait(30)
    ((kind, events, status),) = board.pump()
    assert (kind, [e.text for e in events]) == ("train", ["one", "two"])
    assert status.state == "done"
    assert board.pump() == []


def test_kinds_run_side_by_side_but_each_only_once(board):
    board.start("train", endless, name="first")
    board.start("preview", endless, name="other")
    assert set(board.running()) == {"train", "preview"}
    with pytest.raises(SashikoError, match="first is still running"):
        board.start("train", endless, name="second")


def test_a_kind_may_run_again_after_its_end(board):
    board.start("train", short, name="short").wait(30)
    board.pump()
    board.start("train", short, name="short").wait(30)
    ((_, events, status),) = board.pump()
    assert len(events) == 2
    assert status.state == "done"


def test_close_ends_running_and_paused_jobs(board):
    running = board.start("train", endless, name="running")
    paused = board.start("predict", endless, name="paused")
    paused.pause()
    assert board.close()
    assert running.status.state == paused.status.state == "cancelled"


def test_a_job_is_announced_while_it_waits_and_begins_whatever_comes_of_that(board):
    states = []

    def announce():
        time.sleep(0.05)  # far longer than the work takes
        states.append((board.job("train").status.state, board.is_running("train")))
        raise ValueError("a listener")

    with pytest.raises(ValueError, match="a listener"):
        board.start("train", short, name="short", announce=announce)
    assert states == [("waiting", True)]
    assert board.job("train").wait(30)
    ((_, events, status),) = board.pump()
    assert (len(events), status.state) == (2, "done")


def test_a_job_stopped_while_it_is_announced_does_no_work(board):
    board.start("train", endless, name="long", announce=lambda: board.stop("train"))
    assert board.job("train").wait(30)
    ((_, events, status),) = board.pump()
    assert (events, status.state) == ([], "cancelled")
