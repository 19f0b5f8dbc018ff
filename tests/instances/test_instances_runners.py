"""One thread, several, or a cluster: the same bytes."""

import os
import signal

import numpy as np
import pytest

from napari_sashiko.errors import Cancelled, SettingsError
from napari_sashiko.instances import InstanceSettings, segment_instances
from napari_sashiko.instances import components as components_room
from napari_sashiko.instances import run as run_room
from napari_sashiko.instances._writing import Target
from napari_sashiko.runners import Progress

SHAPE = (60, 64, 70)


@pytest.fixture
def noise(prediction, monkeypatch):
    """Many objects in many small blocks."""
    monkeypatch.setattr(
        components_room, "block_shape", lambda shape, chunk: (16, 20, 24)
    )
    rng = np.random.default_rng(0)
    mean = rng.random(SHAPE).astype(np.float32)
    return prediction(mean, std=mean / 8, chunks=(8, 10, 12))


def found_by(prediction, folder, *, watch=lambda event: None, **where):
    """Bytes of labels and table; the search is not remembered."""
    settings = InstanceSettings(
        label_class=2, threshold=0.7, connectivity=6, dust="2", **where
    )
    folder.mkdir()
    work = segment_instances(
        prediction, folder / "out.zarr", settings, folder / "out.csv"
    )
    for event in work:
        watch(event)
    (prediction.parent / ".prediction.zarr.components.npz").unlink()
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_threads_write_the_bytes_of_serial(noise, tmp_path):
    serial = found_by(noise, tmp_path / "serial", runner="serial")
    assert len(serial) > 64
    assert serial["out.csv"].count(b"\n") > 1000
    for workers in (2, 3):
        out = tmp_path / f"threads-{workers}"
        assert found_by(noise, out, runner="threads", workers=workers) == serial


@pytest.mark.slow
def test_a_cluster_writes_the_bytes_of_serial_even_if_workers_are_killed(
    noise, tmp_path
):
    distributed = pytest.importorskip("distributed")
    serial = found_by(noise, tmp_path / "serial", runner="serial")
    killed = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:

        def kill_one(event):
            if isinstance(event, Progress) and event.done == 5:
                worker = cluster.workers[len(killed) % 2]
                os.kill(worker.pid, signal.SIGKILL)
                killed.append(event.what)

        where = {"runner": "dask", "scheduler": cluster.scheduler_address}
        dask = found_by(noise, tmp_path / "dask", watch=kill_one, **where)
    assert killed == ["finding objects", "writing objects", "measuring objects"]
    assert dask == serial


def test_the_order_in_which_blocks_end_does_not_show(noise, tmp_path, monkeypatch):
    serial = found_by(noise, tmp_path / "serial", runner="serial")

    def backwards(func, tasks, *, heartbeat):
        for task in reversed(list(tasks)):
            yield task, func(task)

    monkeypatch.setattr(run_room, "open_place", lambda _: Opened(backwards))
    assert found_by(noise, tmp_path / "backwards") == serial


class Opened:
    """A runner that is a plain function."""

    def __init__(self, run):
        self.run = run

    def __enter__(self):
        return self.run

    def __exit__(self, *_):
        pass


def test_nothing_is_written_after_the_folder_is_gone(tmp_path):
    target = Target(tmp_path / "gone")
    with pytest.raises(Cancelled):
        target.write((slice(0, 1),) * 3, np.ones((1, 1, 1), np.uint32))
    assert not (tmp_path / "gone").exists()


def test_a_scheduler_that_does_not_answer_leaves_nothing(prediction, tmp_path):
    pytest.importorskip("distributed")
    path = prediction(np.ones((4, 4, 4)))
    settings = InstanceSettings(runner="dask", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(SettingsError, match="No Dask scheduler answers"):
        list(segment_instances(path, tmp_path / "out.zarr", settings))
    assert list(tmp_path.iterdir()) == [path]
