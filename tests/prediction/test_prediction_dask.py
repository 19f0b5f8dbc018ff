"""A cluster writes the bytes of a single thread."""

import os
import signal
import time

import numpy as np
import pytest
from prediction_fakes import Blur, image_of

from napari_sashiko.errors import SettingsError, VolumeError
from napari_sashiko.prediction import CellDone, PredictionSettings, predict
from napari_sashiko.runners import Tick
from napari_sashiko.volumes import as_volume, open_volume

distributed = pytest.importorskip("distributed")
SHAPE = (13, 14, 15)
SMALL = {"window": (10, 10, 10), "border": (2, 2, 2)}
BLEND = {
    "window": (5, 6, 7),
    "step": (3, 3, 3),
    "border": (1, 1, 1),
    "border_weight": 0.3,
}


def files(path):
    return {
        str(p.relative_to(path)): p.read_bytes()
        for p in path.rglob("*")
        if p.is_file() and p.name != "zarr.json"
    }


def test_a_cluster_writes_the_bytes_of_serial(tmp_path):
    np.save(tmp_path / "image.npy", image_of(SHAPE))
    volume = open_volume(tmp_path / "image.npy")
    for runner in ("serial", "dask"):
        settings = PredictionSettings(**SMALL, runner=runner, workers=1)
        list(predict(Blur(), volume, tmp_path / f"{runner}.zarr", settings))
    found = files(tmp_path / "dask.zarr")
    assert len(found) > 20
    assert found == files(tmp_path / "serial.zarr")


def test_a_cluster_blends_to_the_bytes_of_serial(tmp_path):
    np.save(tmp_path / "image.npy", image_of(SHAPE))
    volume = open_volume(tmp_path / "image.npy")
    events = {}
    for runner in ("serial", "dask"):
        settings = PredictionSettings(**BLEND, runner=runner, workers=2)
        out = tmp_path / f"{runner}.zarr"
        events[runner] = list(predict(Blur(), volume, out, settings))
        again = predict(Blur(), volume, out, settings)
        left = [event for event in again if not isinstance(event, Tick)]
        assert left[0].done == left[0].cells
    assert files(tmp_path / "dask.zarr") == files(tmp_path / "serial.zarr")
    done = [event for event in events["dask"] if isinstance(event, CellDone)]
    assert [event.done for event in done] == list(range(1, 5 * 5 * 5 + 1))


def test_an_image_in_memory_cannot_go_to_a_cluster(tmp_path):
    settings = PredictionSettings(**SMALL, runner="dask")
    volume = as_volume(image_of(SHAPE), name="painting")
    with pytest.raises(VolumeError, match=r"'painting'.*threads"):
        list(predict(Blur(), volume, tmp_path / "p.zarr", settings))


def test_a_stopped_run_ends_its_tasks_on_a_cluster_that_stays(tmp_path):
    np.save(tmp_path / "image.npy", image_of(SHAPE))
    volume, out = open_volume(tmp_path / "image.npy"), tmp_path / "p.zarr"
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        settings = PredictionSettings(
            **BLEND, runner="dask", workers=1, scheduler=cluster.scheduler_address
        )
        work = predict(Blur(seconds=0.03), volume, out, settings)
        next(event for event in work if list(out.glob("mean/0/c/**/0")))
        work.close()
        deadline = time.monotonic() + 60
        while any(each.processing for each in cluster.scheduler.workers.values()):
            assert time.monotonic() < deadline, "Tasks go on."
            time.sleep(0.05)
        time.sleep(0.5)  # the task that was running writes what it has
        before = files(out)
        time.sleep(1)
        assert files(out) == before
        assert len(list(out.glob("mean/0/c/**/0"))) < 5 * 5 * 5


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(tmp_path):
    np.save(tmp_path / "image.npy", image_of(SHAPE))
    volume = open_volume(tmp_path / "image.npy")
    serial = PredictionSettings(**SMALL, runner="serial", workers=1)
    list(predict(Blur(), volume, tmp_path / "serial.zarr", serial))
    killed = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        address = cluster.scheduler_address
        settings = PredictionSettings(
            **SMALL, runner="dask", workers=1, scheduler=address
        )
        slow = Blur(seconds=0.1)
        for event in predict(slow, volume, tmp_path / "dask.zarr", settings):
            if isinstance(event, CellDone) and event.done in (3, 6):
                worker = cluster.workers[len(killed)]
                killed.append(worker.pid)
                os.kill(worker.pid, signal.SIGKILL)
    assert len(killed) == 2
    assert files(tmp_path / "dask.zarr") == files(tmp_path / "serial.zarr")


def test_a_scheduler_that_does_not_answer_leaves_no_empty_prediction(tmp_path):
    np.save(tmp_path / "image.npy", image_of(SHAPE))
    volume = open_volume(tmp_path / "image.npy")
    settings = PredictionSettings(**SMALL, runner="dask", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(SettingsError, match="No Dask scheduler answers"):
        list(predict(Blur(), volume, tmp_path / "p.zarr", settings))
    assert [path.name for path in tmp_path.iterdir()] == ["image.npy"]
