"""Laws of coarser levels of results: there when the step ends, gone when it goes on."""

import contextlib
import errno

import numpy as np
import pytest
import zarr

from napari_sashiko.pipeline import levels, open_volume
from napari_sashiko.prediction import PredictionDone, PredictionStarted
from napari_sashiko.runners import Message, Progress, RunnerSettings
from napari_sashiko.volumes import create_ome_image, full_region, open_levels, pyramid

SHAPE = (9, 20, 30)
RNG = np.random.default_rng(0)
STARTED, GOING_ON = PredictionStarted("p", 3, 3), PredictionStarted("p", 3, 1)
DONE = PredictionDone("p", 1.0)


@pytest.fixture
def result(tmp_path, monkeypatch):
    monkeypatch.setattr(pyramid, "MOST", 8)
    monkeypatch.setattr(pyramid, "LEAST", 4)
    path = tmp_path / "p.zarr"
    group = zarr.create_group(str(path))
    for name, shape in (
        ("mean", (2, *SHAPE)),
        ("std", (2, *SHAPE)),
        ("classes", SHAPE),
    ):
        flat = name == "classes"
        values = RNG.integers(1, 4, shape) if flat else RNG.random(shape)
        create_ome_image(
            group, name, shape=shape, chunks=(1, 4, 8, 8)[-len(shape) :],
            dtype="uint8" if flat else "float16", axes="czyx"[-len(shape) :],
            voxel_size=(2.0, 1.0, 1.0), unit="um",
        )[...] = values  # fmt: skip
    return path


def run(path, *events, **settings):
    steps = levels.with_levels(
        (event for event in events), PredictionDone, path, RunnerSettings(**settings)
    )
    with contextlib.closing(steps):
        return list(steps)


def counts(path):
    return [len(open_levels(path / name)) for name in ("mean", "std", "classes")]


@pytest.mark.parametrize("runner", ["serial", "threads"])
def test_levels_are_there_when_the_step_says_that_it_is_done(result, runner):
    events = run(result, STARTED, DONE, runner=runner)
    assert events[0] == STARTED
    assert events[-1] == DONE
    assert counts(result) == [3, 3, 3]
    assert any(isinstance(event, Progress) for event in events)
    coarse = open_volume(result / "classes", level=2)
    assert coarse.voxel_size == (4.0, 4.0, 4.0)
    assert set(np.unique(coarse.read(full_region(coarse.shape)))) <= {1, 2, 3}


def test_levels_of_what_is_not_complete_any_more_are_dropped(result):
    run(result, STARTED, DONE)
    run(result, GOING_ON)
    assert counts(result) == [1, 1, 1]
    run(result, GOING_ON, DONE)
    assert counts(result) == [3, 3, 3]


def test_levels_of_what_is_complete_stay(result):
    run(result, STARTED, DONE)
    before = sorted(result.rglob("*"))
    stamps = [path.stat().st_mtime_ns for path in before]
    assert run(result, STARTED, DONE) == [STARTED, DONE]
    assert [path.stat().st_mtime_ns for path in before] == stamps


def test_a_level_that_cannot_be_written_costs_nothing_else(result, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left")
        yield

    monkeypatch.setattr(levels, "write_levels", full)
    events = run(result, STARTED, DONE)
    assert events[-1] == DONE
    (said,) = [event for event in events if isinstance(event, Message)]
    assert said.level == "warning"
    assert "No space left" in said.text
