"""Laws of a job: it ends as asked, keeps what it said, and never grows."""

import subprocess
import sys
import threading
import time

import pytest

from napari_sashiko.errors import Cancelled
from napari_sashiko.runners import (
    Job,
    Message,
    Progress,
    Tick,
    interrupt,
    interruptible,
    stop_if_asked,
)


def counting(n, log=None):
    try:
        for i in range(n):
            yield Progress(i + 1, n, "steps")
    finally:
        if log is not None:
            log.append("saved")


def endless(log):
    try:
        while True:
            time.sleep(0.005)
            log.append("step")
            yield Tick()
    finally:
        log.append("saved")


def ended(job, seconds=30.0):
    assert job.wait(seconds)
    return job.status


def until(fact):
    deadline = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.005)


def test_a_job_that_runs_to_its_end_is_done():
    job = Job(counting(3), name="count")
    assert job.status.state == "waiting"
    job.start()
    assert ended(job).state == "done"
    assert job.status.ended


def test_a_callable_is_called_in_the_thread_of_the_job():
    names = []

    def work():
        names.append(threading.current_thread().name)
        yield Message("hello")

    job = Job(work, name="other thread")
    job.start()
    ended(job)
    assert names == ["other thread"]
    assert job.drain() == [Message("hello")]


def test_cancel_closes_the_generator_so_that_it_saves():
    log = []
    job = Job(endless(log), name="endless")
    job.start()
    until(lambda: log)
    job.cancel()
    assert ended(job).state == "cancelled"
    assert log[-1] == "saved"


def test_a_job_cancelled_before_start_never_runs():
    log = []
    job = Job(lambda: endless(log), name="never")
    job.cancel()
    job.start()
    assert ended(job, 0).state == "cancelled"
    assert log == []


def test_paused_work_stands_still_until_resumed():
    log = []
    job = Job(endless(log), name="pause")
    job.start()
    until(lambda: log)
    job.pause()
    assert job.status.state == "paused"
    before = len(log)
    time.sleep(0.1)
    assert len(log) <= before + 1  # the step that was begun
    job.resume()
    until(lambda: len(log) > before + 1)
    job.cancel()
    ended(job)


def test_paused_work_can_be_cancelled():
    log = []
    job = Job(endless(log), name="pause")
    job.start()
    until(lambda: log)
    job.pause()
    job.cancel()
    assert ended(job).state == "cancelled"
    assert log[-1] == "saved"


def test_an_error_is_kept_with_its_trace():
    def work():
        yield Tick()
        raise ValueError("the kettle is empty")

    job = Job(work, name="tea")
    job.start()
    status = ended(job)
    assert status.state == "failed"
    assert isinstance(status.error, ValueError)
    assert "in work" in status.trace


def test_work_that_stops_itself_counts_as_cancelled():
    def work():
        yield Tick()
        raise Cancelled("stopped")

    job = Job(work, name="self")
    job.start()
    assert ended(job).state == "cancelled"


def test_only_the_newest_progress_about_one_thing_is_kept():
    def work():
        yield Message("first")
        for i in range(50):
            yield Progress(i, 50, "cells")
            yield Progress(i, 10, "members")
        yield Message("last")

    job = Job(work, name="many")
    job.start()
    ended(job)
    assert job.drain() == [
        Message("first"),
        Progress(49, 50, "cells"),
        Progress(49, 10, "members"),
        Message("last"),
    ]
    assert job.drain() == []


def test_events_that_nobody_drains_stay_bounded():
    def work():
        for i in range(10_500):
            yield Message(str(i))

    job = Job(work, name="talkative")
    job.start()
    ended(job)
    events = job.drain()
    assert len(events) == 10_000
    assert events[-1] == Message("10499")


@pytest.mark.parametrize("how", ["start", "cancel"])
def test_a_second_start_or_cancel_changes_nothing(how):
    job = Job(counting(2), name="twice")
    job.start()
    ended(job)
    getattr(job, how)()
    assert job.status.state == "done"


EXIT_SCRIPT = """
import pathlib, threading, time
from napari_sashiko.runners import Job, Tick

began = threading.Event()

def work():
    try:
        while True:
            began.set()
            time.sleep(0.01)
            yield Tick()
    finally:
        pathlib.Path({path!r}).write_text("saved")

Job(work, name="endless").start()
began.wait()
"""


def test_a_job_at_the_exit_of_the_program_saves_first(tmp_path):
    path = tmp_path / "state.txt"
    script = EXIT_SCRIPT.format(path=str(path))
    done = subprocess.run([sys.executable, "-c", script], timeout=60, check=False)
    assert done.returncode == 0
    assert path.read_text() == "saved"


def test_what_takes_long_between_two_events_can_ask_whether_to_stop():
    began = threading.Event()

    def work():
        yield Tick()
        with interruptible(stop_if_asked):
            began.set()
            for _ in range(6000):
                interrupt()()
                time.sleep(0.01)
        raise AssertionError("Nobody stopped it.")

    stop_if_asked()  # outside of a job there is nobody to ask
    job = Job(work, name="long")
    job.start()
    assert began.wait(30)
    job.cancel()
    ended(job)
    assert job.status.state == "cancelled"
