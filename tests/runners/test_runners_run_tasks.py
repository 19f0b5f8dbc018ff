"""Laws of runners: every task once, lazily, in any runner the same answers."""

import threading

import pytest

from napari_sashiko.errors import DeviceError, SettingsError
from napari_sashiko.instances import InstanceSettings
from napari_sashiko.prediction import PredictionSettings
from napari_sashiko.runners import (
    RunnerSettings,
    available_devices,
    choose_device,
    in_order,
    is_out_of_memory,
    open_place,
    open_runner,
)


def run_tasks(func, tasks, *, heartbeat=None, **where):
    with open_runner(**where) as run:
        yield from run(func, tasks, heartbeat=heartbeat)


def square(number):
    return number * number


@pytest.mark.parametrize("runner", ["serial", "threads"])
@pytest.mark.parametrize("heartbeat", [None, 0.01])
def test_every_task_is_done_once(runner, heartbeat):
    results = run_tasks(square, range(20), runner=runner, heartbeat=heartbeat)
    found = dict(item for item in results if item is not None)
    assert found == {i: i * i for i in range(20)}


def test_tasks_are_drawn_as_they_are_needed():
    drawn = []

    def tasks():
        for i in range(1000):
            drawn.append(i)
            yield i

    results = run_tasks(square, tasks(), runner="threads", workers=2)
    for _ in range(3):
        next(results)
    results.close()
    assert len(drawn) <= 8


def test_a_slow_task_leaves_heartbeats():
    gate = threading.Event()
    results = run_tasks(lambda _: gate.wait(60), [1], runner="serial", heartbeat=0.01)
    assert next(results) is None
    gate.set()
    assert (1, True) in list(results)


def test_closing_does_not_wait_for_a_slow_task():
    gate, ended = threading.Event(), []

    def slow(number):
        gate.wait(60)
        ended.append(number)

    results = run_tasks(slow, range(4), runner="threads", workers=2, heartbeat=0.01)
    next(results)
    results.close()
    assert not ended
    gate.set()


@pytest.mark.parametrize("runner", ["serial", "threads"])
def test_an_error_in_a_task_reaches_the_caller(runner):
    def broken(number):
        raise KeyError(number)

    with pytest.raises(KeyError):
        list(run_tasks(broken, [3], runner=runner))


@pytest.mark.parametrize(
    "values", [{"runner": "slurm"}, {"runner": "threads", "workers": 0}]
)
def test_impossible_runners_are_refused_in_words(values):
    with pytest.raises(SettingsError, match=r"Choose from|1 or more"):
        list(run_tasks(square, [1], **values))


def test_one_runner_does_several_rounds():
    with open_runner("threads", workers=2) as run:
        for numbers in ([1, 2, 3], [4, 5]):
            assert dict(run(square, numbers)) == {n: n * n for n in numbers}


def test_settings_say_where_work_runs_and_steps_inherit_them():
    with open_place(RunnerSettings(runner="serial")) as run:
        assert list(run(str, [1, 2])) == [(1, "1"), (2, "2")]
    shared = RunnerSettings.model_fields
    for step in (PredictionSettings, InstanceSettings):
        assert issubclass(step, RunnerSettings)
        assert shared.keys().isdisjoint(step.__annotations__)


def test_results_come_in_the_order_of_their_numbers():
    def out_of_order():
        for number in (2, 0, None, 3, 1):
            yield None if number is None else ((number, "task"), 10 * number)

    found = list(in_order(out_of_order()))
    assert found == [(0, 0), None, (1, 10), (2, 20), (3, 30)]


def test_cpu_is_always_there_and_auto_is_the_fastest():
    assert available_devices()[-1] == "cpu"
    assert str(choose_device("cpu")) == "cpu"
    assert str(choose_device("auto")) == available_devices()[0]


def test_a_missing_device_is_refused_with_the_ones_that_are_there():
    with pytest.raises(DeviceError, match=r"cuda:99.*cpu"):
        choose_device("cuda:99")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("Invalid buffer size: 19.45 GB"), True),
        (RuntimeError("GET was unable to find an engine to execute this"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_told_from_other_errors(error, expected):
    assert is_out_of_memory(error) is expected


@pytest.mark.parametrize("runner", ["serial", "threads"])
def test_a_scheduler_without_dask_is_not_silently_left_out(runner):
    with (
        pytest.raises(SettingsError, match="is for the runner 'dask'"),
        open_runner(runner, scheduler="tcp://a:1"),
    ):
        pass
