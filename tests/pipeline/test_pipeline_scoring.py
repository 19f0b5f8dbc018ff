"""A result is scored by what it is; by what it is not, it is refused in words."""

import numpy as np
import pytest
import zarr

from napari_sashiko.errors import OutputError, SettingsError
from napari_sashiko.pipeline import (
    Progress,
    ResultScored,
    evaluate,
    evaluate_image,
    reconstruct_steps,
    score_steps,
)
from napari_sashiko.volumes import create_ome_image

SHAPE = (6, 9, 11)
MEAN = np.random.default_rng(0).random((2, *SHAPE)).astype(np.float16)
FOUND = np.where(MEAN[1] > MEAN[0], 4, 1).astype(np.uint8)


@pytest.fixture
def prediction(tmp_path):
    """A prediction of rest (1) and fibre (4), as it lies on disk."""
    record = {
        "format_version": 1,
        "kind": "prediction",
        "model_digest": "m",
        "input_digest": "i",
        "plan": {},
        "shape": list(SHAPE),
        "voxel_size": [1.0, 1.0, 1.0],
        "unit": "um",
        "flat": False,
        "classes": [
            {"id": 1, "name": "rest", "color": "#888888"},
            {"id": 4, "name": "fibre", "color": "#cc3311"},
        ],
    }
    path = tmp_path / "p.zarr"
    group = zarr.create_group(str(path), attributes={"sashiko": record})
    for name, values in (("mean", MEAN), ("std", MEAN / 9), ("classes", FOUND)):
        create_ome_image(
            group, name, shape=values.shape, chunks=(1, 4, 5, 6)[-values.ndim :],
            dtype=str(values.dtype), axes="czyx"[-values.ndim :],
            voxel_size=(1.0, 1.0, 1.0), unit="um",
        )[...] = values  # fmt: skip
    done = np.ones((1, 1, 1), np.uint8)
    group.create_array("ledger", data=done, compressors=None)
    return path


def test_scores_of_a_prediction_come_last_and_are_those_of_python(prediction):
    truth = FOUND.copy()
    truth[0] = 5 - truth[0]  # all wrong
    *before, last = score_steps(prediction, truth)
    assert all(isinstance(event, Progress) for event in before)
    assert isinstance(last, ResultScored)
    assert last.path == prediction
    assert last.scores == evaluate(prediction, truth)
    assert last.scores.accuracy == pytest.approx(5 / 6)
    ignore = np.zeros(SHAPE, np.uint8)
    ignore[0] = 1
    assert evaluate(prediction, truth, ignore=ignore).accuracy == 1


def test_a_mask_is_for_images(prediction):
    with pytest.raises(SettingsError, match="where an image is scored"):
        list(score_steps(prediction, FOUND, only=FOUND))


def test_each_kind_is_scored_in_its_own_way(prediction, tmp_path):
    with pytest.raises(OutputError):
        evaluate_image(prediction, FOUND)
    sinograms = np.random.default_rng(1).random((2, 8, 12), np.float32)
    for _ in reconstruct_steps(sinograms, tmp_path / "r.zarr"):
        pass
    truth = np.random.default_rng(2).random((2, 12, 12), np.float32)
    only = np.zeros(truth.shape, np.uint8)
    only[1] = 1
    *_, last = score_steps(tmp_path / "r.zarr", truth, only=only)
    assert last.scores.errors.voxels == 12 * 12
    *_, last = score_steps(tmp_path / "r.zarr", truth)
    assert last.scores == evaluate_image(tmp_path / "r.zarr", truth)
    with pytest.raises(OutputError):
        evaluate(tmp_path / "r.zarr", truth)
