"""The same laws on a cluster of this machine."""

import logging
import operator
import os
import signal
import time

import pytest

from napari_sashiko.errors import SettingsError, WorkerError
from napari_sashiko.runners import (
    RunnerSettings,
    open_place,
    open_runner,
    threads_each,
)

distributed = pytest.importorskip("distributed")


def nap(seconds):
    time.sleep(seconds)
    return seconds


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_cluster_gives_the_same_answers_in_every_round():
    with open_runner("dask", workers=1) as run:
        for numbers in (range(6), range(3)):
            results = run(operator.neg, numbers, heartbeat=0.2)
            found = dict(item for item in results if item is not None)
            assert found == {i: -i for i in numbers}


def test_a_scheduler_that_does_not_answer_is_named():
    with (
        pytest.raises(SettingsError, match=r"answers at 'tcp://127.0.0.1:1'\. Give"),
        open_runner("dask", scheduler="tcp://127.0.0.1:1"),
    ):
        pass


def test_stopping_does_not_wait_for_a_slow_task(monkeypatch):
    said = []
    nanny = logging.getLogger("distributed.nanny")
    monkeypatch.setattr(nanny, "warning", lambda text, *_: said.append(text))

    def work():
        with open_runner("dask", workers=1) as run:
            yield from run(nap, [30.0, 30.0], heartbeat=0.5)

    results = work()
    assert next(results) is None
    results.close()
    assert not said  # "still alive after 4.0 seconds, killing"


def test_a_task_that_kills_every_worker_ends_in_a_sentence():
    with open_runner("dask", workers=1) as run, pytest.raises(WorkerError) as caught:
        list(run(die, [1], heartbeat=0.2))
    assert "memory" in str(caught.value)


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "tcp://127.0.0.1", "a:b"])
def test_an_address_that_is_none_is_refused_at_once(address):
    with (
        pytest.raises(SettingsError, match="answers at"),
        open_runner("dask", scheduler=address),
    ):
        pass


def test_as_many_processes_as_the_share_of_the_cores_reckons_with(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    settings = RunnerSettings(runner="dask")
    asked = []

    def refuse(**options):
        asked.append(options["n_workers"])
        raise RuntimeError("enough is known")

    monkeypatch.setattr(distributed, "LocalCluster", refuse)
    with pytest.raises(RuntimeError, match="enough"), open_place(settings):
        pass
    assert asked[0] * threads_each(settings) == 12
