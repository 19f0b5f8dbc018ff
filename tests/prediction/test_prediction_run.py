"""Laws of a prediction: tiles, order, restarts and workers do not show."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from prediction_fakes import Blur, image_of, make_card, whole

from napari_sashiko.errors import DeviceError, OutputError, PlanError, VolumeError
from napari_sashiko.prediction import (
    CellDone,
    PredictionDone,
    PredictionSettings,
    PredictionStarted,
    plan,
    predict,
    read_record,
)
from napari_sashiko.prediction.store import PredictionStore
from napari_sashiko.runners import Job, Message
from napari_sashiko.volumes import as_volume, open_volume

SMALL = {"window": (10, 11, 12), "border": (2, 2, 2), "dtype": "float32"}
SHAPE = (21, 17, 25)


def run(out, image, predictor=None, volume=None, **values):
    settings = PredictionSettings(**{**SMALL, **values})
    volume = volume or as_volume(image)
    return list(predict(predictor or Blur(), volume, out, settings))


def arrays(path):
    names = ("mean", "std", "classes")
    return [zarr.open_array(str(path / n / "0"), mode="r")[...] for n in names]


def files(path):
    found = sorted(p for p in path.rglob("*") if p.is_file())
    return {
        str(p.relative_to(path)): p.read_bytes() for p in found if p.name != "zarr.json"
    }


@pytest.mark.parametrize("runner", ["serial", "threads"])
def test_tiles_equal_the_whole_where_the_border_covers_the_view(tmp_path, runner):
    image = image_of(SHAPE)
    events = run(tmp_path / "p.zarr", image, runner=runner)
    mean, std, classes = arrays(tmp_path / "p.zarr")
    truth = whole(Blur(), image)
    assert np.allclose(mean, truth[0], atol=1e-6)
    assert np.allclose(std, truth[1], atol=1e-6)
    assert np.array_equal(classes, np.array([1, 4])[mean.argmax(0)])
    assert isinstance(events[0], PredictionStarted)
    assert isinstance(events[-1], PredictionDone)
    done = [event for event in events if isinstance(event, CellDone)]
    assert [event.done for event in done] == list(range(1, len(done) + 1))
    assert done[-1].done == done[-1].total == events[0].cells > 8


def test_every_voxel_belongs_to_one_cell_and_every_chunk_too(tmp_path):
    events = run(tmp_path / "p.zarr", image_of(SHAPE))
    owners = np.zeros(SHAPE, int)
    chunk = zarr.open_array(str(tmp_path / "p.zarr/mean/0"), mode="r").chunks[1:]
    for event in events:
        if isinstance(event, CellDone):
            owners[tuple(slice(*span) for span in event.cell)] += 1
            assert all(s[0] % c == 0 for s, c in zip(event.cell, chunk, strict=True))
    assert (owners == 1).all()


@hypothesis_settings(max_examples=10, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 23)] * 3),
    window=st.tuples(*[st.integers(6, 14)] * 3),
    align=st.sampled_from([(1, 1, 1), (2, 2, 2), (1, 4, 4)]),
)
def test_any_shape_and_window_is_predicted_exactly(
    tmp_path_factory, shape, window, align
):
    image = image_of(shape, seed=1)
    out = tmp_path_factory.mktemp("run") / "p.zarr"
    predictor = Blur(radius=1, align=align)
    run(out, image, predictor, window=window, border=(1, 1, 1), runner="serial")
    assert np.allclose(arrays(out)[0], whole(predictor, image)[0], atol=1e-6)


def test_threads_write_the_bytes_of_serial(tmp_path):
    image = image_of(SHAPE)
    run(tmp_path / "serial.zarr", image, runner="serial")
    run(tmp_path / "threads.zarr", image, runner="threads", workers=3)
    assert files(tmp_path / "serial.zarr") == files(tmp_path / "threads.zarr")


def test_closing_keeps_finished_cells_and_a_restart_does_the_rest(tmp_path):
    image, out = image_of(SHAPE), tmp_path / "p.zarr"
    work = predict(Blur(), as_volume(image), out, PredictionSettings(**SMALL))
    for event in work:
        if isinstance(event, CellDone) and event.done == 3:
            break
    work.close()
    predictor = Blur()
    events = run(out, image, predictor)
    assert events[0].done >= 3
    assert len(predictor.windows) == events[0].cells - events[0].done
    assert np.allclose(arrays(out)[0], whole(Blur(), image)[0], atol=1e-6)
    again = Blur()
    assert run(out, image, again)[0].done == events[0].cells
    assert again.windows == []


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import numpy as np
from prediction_fakes import Blur, image_of
from napari_sashiko.prediction import CellDone, PredictionSettings, predict
from napari_sashiko.volumes import as_volume
settings = PredictionSettings(**{settings!r})
volume = as_volume(image_of({shape!r}))
for event in predict(Blur(seconds=0.02), volume, {out!r}, settings):
    if isinstance(event, CellDone):
        sys.stdout.write("cell\\n")
        sys.stdout.flush()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_is_resumed_to_the_same_bytes(tmp_path):
    out = tmp_path / "killed.zarr"
    script = SCRIPT.format(
        tests=str(Path(__file__).parent), settings=SMALL, shape=SHAPE, out=str(out)
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script], stdout=subprocess.PIPE
    ) as process:
        for _ in range(4):
            assert process.stdout.readline() == b"cell\n"
        process.send_signal(signal.SIGKILL)
    events = run(out, image_of(SHAPE))
    assert 4 <= events[0].done < events[0].cells
    run(tmp_path / "calm.zarr", image_of(SHAPE))
    assert files(out) == files(tmp_path / "calm.zarr")


def test_cells_in_view_come_first(tmp_path):
    events = run(
        tmp_path / "p.zarr", image_of(SHAPE), runner="serial", center=(21, 17, 25)
    )
    done = [event.cell for event in events if isinstance(event, CellDone)]
    assert [span[1] for span in done[0]] == list(SHAPE)
    assert [span[0] for span in done[-1]] == [0, 0, 0]


def test_a_stop_waits_for_no_window(tmp_path):
    began, gate = threading.Event(), threading.Event()

    class Held(Blur):
        def predict(self, patch, **how):
            began.set()
            gate.wait(60)
            return super().predict(patch, **how)

    settings = PredictionSettings(**SMALL)
    work = predict(Held(), as_volume(image_of(SHAPE)), tmp_path / "p.zarr", settings)
    job = Job(work, name="predict")
    job.start()
    assert began.wait(30)
    job.cancel()
    assert job.wait(30)
    assert job.status.state == "cancelled"
    gate.set()


def test_a_stopped_run_writes_no_more(tmp_path):
    out = tmp_path / "p.zarr"
    predictor = Blur(seconds=0.2)
    work = predict(
        predictor, as_volume(image_of(SHAPE)), out, PredictionSettings(**SMALL)
    )
    next(work)
    next(work)
    work.close()
    before = files(out)
    time.sleep(0.8)
    assert files(out) == before


def test_another_model_image_or_plan_is_refused_unless_told(tmp_path):
    out, image = tmp_path / "p.zarr", image_of(SHAPE)
    run(out, image)
    with pytest.raises(OutputError, match="another model"):
        run(out, image, Blur(digest="other"))
    with pytest.raises(OutputError, match="another image"):
        run(out, image + 1)
    with pytest.raises(OutputError, match="other windows"):
        run(out, image, border=(1, 1, 1))
    with pytest.raises(OutputError, match="as float32, not as float16"):
        run(out, image, dtype="float16")
    assert read_record(out)["model_digest"] == "blur"
    run(out, image, Blur(digest="other"), overwrite=True)
    assert read_record(out)["model_digest"] == "other"


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_prediction_is_never_replaced(tmp_path, overwrite):
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter.txt").write_text("years of work")
    with pytest.raises(OutputError, match="left as it is"):
        run(precious, image_of(SHAPE), overwrite=overwrite)
    assert (precious / "chapter.txt").exists()


def test_automatic_windows_go_on_with_the_stored_plan(tmp_path, monkeypatch):
    out, image = tmp_path / "p.zarr", image_of(SHAPE)
    run(out, image)
    events = run(out, image, window=None, border=None)
    assert events[0].done == events[0].cells


def test_a_file_that_was_written_to_since_is_told_of(tmp_path):
    """A digest samples few blocks: a slice that was repaired is not seen by it."""
    file, out = tmp_path / "scan.npy", tmp_path / "p.zarr"
    np.save(file, image_of((40, 100, 100)))

    def warned():
        events = run(out, None, volume=open_volume(file), window=(20, 60, 60))
        return [e.text for e in events if isinstance(e, Message)]

    assert warned() == []
    assert warned() == []
    array = np.load(file, mmap_mode="r+")
    array[37, 5, 80:] += 1  # in none of the blocks that are sampled
    array.flush()
    os.utime(file, ns=(time.time_ns(), time.time_ns() + 10**9))
    (text,) = warned()
    assert "was written to since" in text
    assert "anew" in text


def test_out_of_memory_goes_on_with_smaller_windows(tmp_path):
    image, out = image_of(SHAPE), tmp_path / "p.zarr"
    predictor = Blur(most_voxels=400)
    events = run(out, image, predictor)
    assert np.allclose(arrays(out)[0], whole(Blur(), image)[0], atol=1e-6)
    assert any("Memory" in e.text for e in events if isinstance(e, Message))
    failed = [w for w in predictor.windows if np.prod(w) > 400]
    assert len(failed) < 10  # it learns from the first failure


def test_memory_that_never_suffices_is_said(tmp_path):
    with pytest.raises(DeviceError, match="Memory does not suffice"):
        run(tmp_path / "p.zarr", image_of((6, 6, 6)), Blur(most_voxels=1))


def test_other_errors_of_a_model_are_not_taken_for_memory(tmp_path):
    class Broken(Blur):
        def predict(self, patch, **_):
            raise RuntimeError("weights do not fit")

    with pytest.raises(RuntimeError, match="do not fit"):
        run(tmp_path / "p.zarr", image_of(SHAPE), Broken())


def test_a_full_disk_keeps_what_is_finished(tmp_path, monkeypatch):
    out, image = tmp_path / "p.zarr", image_of(SHAPE)
    write, written = PredictionStore.write, []

    def full(self, *arguments):
        if len(written) == 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(1)
        return write(self, *arguments)

    monkeypatch.setattr(PredictionStore, "write", full)
    with pytest.raises(OutputError, match=r"disk is full.*5 of"):
        run(out, image, runner="serial")
    monkeypatch.undo()
    assert run(out, image)[0].done == 5


def test_a_disk_without_room_is_said_before_the_start(tmp_path, monkeypatch):
    def no_room(path, needed):
        raise OutputError(f"{needed} bytes are needed.")

    monkeypatch.setattr("napari_sashiko.prediction._prepare.check_writable", no_room)
    predictor = Blur()
    with pytest.raises(OutputError, match="bytes are needed"):
        run(tmp_path / "p.zarr", image_of(SHAPE), predictor)
    assert predictor.windows == []
    assert not (tmp_path / "p.zarr").exists()


def test_a_finished_prediction_needs_no_permission(tmp_path, monkeypatch):
    out, image = tmp_path / "p.zarr", image_of(SHAPE)
    run(out, image)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    started, done = run(out, image)
    assert started.done == started.cells
    assert isinstance(done, PredictionDone)


def test_an_unfinished_one_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    out, image = tmp_path / "p.zarr", image_of(SHAPE)
    work = predict(Blur(), as_volume(image), out, PredictionSettings(**SMALL))
    next(event for event in work if isinstance(event, CellDone))
    work.close()
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    predictor = Blur()
    with pytest.raises(OutputError, match="no permission"):
        run(out, image, predictor)
    assert predictor.windows == []


def test_a_flat_image_gives_flat_arrays(tmp_path):
    image, out = image_of((40, 50)), tmp_path / "p.zarr"
    run(out, image, window=(1, 16, 16), border=(0, 2, 2))
    mean, std, classes = arrays(out)
    assert mean.shape == std.shape == (2, 40, 50)
    assert classes.shape == (40, 50)
    assert np.allclose(mean[:, None], whole(Blur(), image[None])[0], atol=1e-6)


def test_probabilities_are_stored_as_half_floats_by_default(tmp_path):
    run(tmp_path / "p.zarr", image_of(SHAPE), dtype="float16")
    mean, _, classes = arrays(tmp_path / "p.zarr")
    assert mean.dtype == np.float16
    assert np.array_equal(classes, np.array([1, 4])[mean.argmax(0)])


def test_another_number_of_channels_is_refused_in_words(tmp_path):
    with pytest.raises(VolumeError, match=r"1 channel.*3"):
        run(tmp_path / "p.zarr", image_of(SHAPE), Blur(card=make_card(channels=3)))


def test_another_voxel_size_is_said(tmp_path):
    volume = as_volume(image_of(SHAPE), voxel_size=(2, 2, 2))
    events = run(tmp_path / "p.zarr", None, volume=volume)
    texts = [e.text for e in events if isinstance(e, Message)]
    assert any("2 x 2 x 2" in text for text in texts)


@pytest.mark.parametrize(
    "values",
    [
        {"window": (4, 4, 4), "border": (2, 2, 2)},
        {"window": (10, 10, 10), "step": (12, 12, 12), "border_weight": 0.5},
    ],
)
def test_plans_that_make_no_sense_are_refused(tmp_path, values):
    with pytest.raises(PlanError, match="window"):
        run(tmp_path / "p.zarr", image_of(SHAPE), **values)


def test_the_ledger_is_an_array_that_zarr_reads(tmp_path):
    events = run(tmp_path / "p.zarr", image_of(SHAPE))
    group = zarr.open_group(str(tmp_path / "p.zarr"), mode="r")
    assert sorted(name for name, _ in group.members()) == [
        "classes",
        "ledger",
        "mean",
        "std",
        "stored",
    ]
    ledger = group["ledger"][...]
    assert (ledger == 1).all()
    assert ledger.size == events[0].cells


def test_images_of_the_output_keep_axes_voxel_size_and_unit(tmp_path):
    image = image_of(SHAPE)
    volume = as_volume(image, voxel_size=(3.0, 2.0, 1.5), unit="um")
    card = make_card(voxel_size=(3.0, 2.0, 1.5), unit="um")
    run(tmp_path / "p.zarr", image, Blur(card=card), volume=volume)
    for name in ("mean", "std", "classes"):
        found = open_volume(tmp_path / "p.zarr", dataset=name)
        assert (found.voxel_size, found.unit) == (volume.voxel_size, "um")
        assert found.channels == (1 if name == "classes" else 2)
        assert found.shape == SHAPE


def test_memory_does_not_grow_with_the_volume(tmp_path):
    def peak(depth):
        array = np.broadcast_to(image_of((1, 30, 30)), (depth, 30, 30))
        settings = PredictionSettings(window=(36, 30, 30), border=(2, 0, 0))
        work = predict(
            Blur(windows=_Forgetful()),
            as_volume(array),
            tmp_path / f"{depth}",
            settings,
        )
        tracemalloc.start()
        try:
            for _ in work:
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(30)
    assert peak(640) < 2 * peak(80)


class _Forgetful(list):
    def append(self, item):
        """Remember nothing."""


class Crowd(Blur):
    """Knows how many threads asked it at a time at most."""

    def __init__(self, hoped):
        super().__init__()
        self.now, self.most, self.lock = 0, 0, threading.Lock()
        self.hoped, self.deadline = hoped, time.monotonic() + 10

    def predict(self, patch, **how):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)  # one too many has the time to come
        while self.most < self.hoped and time.monotonic() < self.deadline:
            time.sleep(0.01)
        with self.lock:
            self.now -= 1
        return super().predict(patch, **how)


@pytest.mark.parametrize(
    ("device", "values", "most"),
    [
        ("cpu", {"workers": 3}, 3),
        ("cpu", {"workers": 1}, 1),
        ("cpu", {"runner": "serial"}, 1),
        ("cuda", {"workers": 3}, 1),
    ],
)
def test_on_a_cpu_each_worker_has_its_networks_and_on_a_gpu_one_has(
    tmp_path, monkeypatch, device, values, most
):
    monkeypatch.setattr(plan, "choose_device", lambda asked: device)
    monkeypatch.setattr(plan, "voxels_for", lambda *asked: 32**3)
    crowd = Crowd(most)
    run(tmp_path / "p.zarr", image_of(SHAPE), crowd, **values)
    assert crowd.most == most


def test_windows_that_are_seen_side_by_side_share_the_memory(monkeypatch):
    budgets = []
    monkeypatch.setattr(
        plan, "voxel_budget", lambda device, needed: budgets.append(needed) or 32**3
    )
    for workers in (1, 4):
        settings = PredictionSettings(device="cpu", workers=workers)
        plan.make_plan(Blur(), SHAPE, settings)
    assert budgets[1] == 4 * budgets[0]
