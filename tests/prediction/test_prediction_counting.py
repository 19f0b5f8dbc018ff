"""Voxels and probability of each class are sums over the whole volume."""

import numpy as np
import pytest
import zarr
from prediction_fakes import Blur, image_of
from small_pictures import SIZES, fenced

from napari_sashiko.errors import OutputError
from napari_sashiko.prediction import (
    CellDone,
    PredictionSettings,
    count_classes,
    predict,
)
from napari_sashiko.runners import RunnerSettings
from napari_sashiko.volumes import as_volume

SMALL = {"window": (8, 20, 20), "border": (2, 2, 2), "runner": "serial"}


def predicted(path, image, **seen):
    settings, volume = PredictionSettings(**SMALL), image
    if isinstance(image, np.ndarray):
        volume = as_volume(image)
    for _ in predict(Blur(**seen), volume, path, settings, model_digest="blur"):
        pass
    return path


def counted(path, **settings):
    steps, events = count_classes(path, RunnerSettings(**settings)), []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return end.value, events


@pytest.mark.parametrize("shape", [(13, 37, 41), (37, 41)])
def test_sums_are_those_of_the_arrays(tmp_path, shape):
    path = predicted(tmp_path / "p.zarr", image_of(shape))
    group = zarr.open_group(str(path), mode="r")
    classes, mean = np.asarray(group["classes/0"]), np.asarray(group["mean/0"])
    totals, events = counted(path)
    assert totals.voxels == {1: (classes == 1).sum(), 4: (classes == 4).sum()}
    assert sum(totals.voxels.values()) == np.prod(shape)
    for channel, number in enumerate((1, 4)):
        expected = mean[channel].sum(dtype=np.float64)
        assert totals.mass[number] == pytest.approx(expected)
    assert events[-1].done == events[-1].total


def test_what_lies_beyond_smaller_pictures_is_not_counted(tmp_path):
    path = predicted(tmp_path / "p.zarr", fenced(), radius=0)
    group = zarr.open_group(str(path), mode="r")
    assert group.attrs["sashiko"]["extents"] == [list(size) for size in SIZES]
    totals, _ = counted(path)
    assert sum(totals.voxels.values()) == sum(map(np.prod, SIZES))
    assert sum(totals.mass.values()) == pytest.approx(
        sum(
            float(np.asarray(group["mean/0"])[:, z, :height, :width].sum(dtype=float))
            for z, (height, width) in enumerate(SIZES)
        )
    )


def test_the_runner_does_not_change_a_digit(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_sashiko.prediction._finished.VOXELS", 1000)
    path = predicted(tmp_path / "p.zarr", image_of((13, 37, 41)))
    serial, events = counted(path, runner="serial")
    assert events[-1].total > 4
    assert counted(path, runner="threads", workers=3)[0] == serial


def test_an_unfinished_prediction_is_refused(tmp_path):
    steps = predict(
        Blur(),
        as_volume(image_of((13, 37, 41))),
        tmp_path / "p.zarr",
        PredictionSettings(**SMALL),
        model_digest="blur",
    )
    next(event for event in steps if isinstance(event, CellDone))
    steps.close()
    with pytest.raises(OutputError, match="blocks of"):
        counted(tmp_path / "p.zarr")
    with pytest.raises(OutputError, match="no prediction"):
        counted(tmp_path / "none.zarr")
