"""Laws of prediction sets of a volume: blocks are the whole, all of it or nothing."""

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from prediction_fakes import Blur, image_of, make_card
from small_pictures import SIZES, fenced

from napari_sashiko.errors import OutputError, SettingsError
from napari_sashiko.metrics import SetCalibration
from napari_sashiko.prediction import (
    CellDone,
    PredictionSettings,
    SetsDone,
    SetSettings,
    _finished,
    predict,
    prediction_sets,
)
from napari_sashiko.runners import Message, Progress
from napari_sashiko.volumes import as_volume

SMALL = {"window": (10, 10, 10), "border": (2, 2, 2)}
KEPT = SetCalibration(
    strokes=14, voxels=900, coverages=(0.5, 0.8, 0.9, 0.95), least=(0.6, 0.4, 0.25, 0.0)
)


def predicted(folder, image, *, sets=KEPT, dtype="float16", radius=2, stop=False):
    """A prediction by two members, of a model calibrated as `sets` says."""
    out = folder / "p.zarr"
    volume = as_volume(image) if isinstance(image, np.ndarray) else image
    chosen = PredictionSettings(**SMALL, dtype=dtype, overwrite=True)
    work = predict(Blur(radius, card=make_card(sets=sets)), volume, out, chosen)
    for event in work:
        if stop and isinstance(event, CellDone):
            work.close()
            break
    return out


def written(prediction, out, **values):
    """Sizes on disk, and the last event."""
    *_, done = prediction_sets(prediction, out, SetSettings(**values))
    assert isinstance(done, SetsDone)
    return np.asarray(zarr.open_array(str(out / "sizes" / "0"), mode="r")), done


def whole(prediction, least):
    mean = np.asarray(zarr.open_array(str(prediction / "mean" / "0"), mode="r"))
    return (mean.astype(np.float16) >= np.float16(least)).sum(axis=0)


@settings(max_examples=12)
@given(
    shape=st.sampled_from([(21, 17, 25), (9, 9, 9), (1, 33, 20), (13, 8, 40)]),
    coverage=st.sampled_from([0.5, 0.8, 0.9, 0.95]),
    voxels=st.sampled_from([1, 500, 1 << 21]),
    runner=st.sampled_from(["serial", "threads"]),
)
def test_blocks_give_what_the_whole_gives(
    tmp_path_factory, shape, coverage, voxels, runner
):
    folder = tmp_path_factory.mktemp("sets")
    image = image_of(shape, seed=sum(shape))
    path = predicted(folder, image[0] if shape[0] == 1 else image)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_finished, "VOXELS", voxels)
        sizes, done = written(
            path, folder / "s.zarr", coverage=coverage, runner=runner, workers=3
        )
    expected = whole(path, KEPT.at(coverage))
    assert sizes.dtype == np.uint8
    np.testing.assert_array_equal(sizes, expected)
    assert done.voxels == tuple(np.bincount(expected.ravel(), minlength=3))
    assert (done.coverage, done.least) == (coverage, KEPT.at(coverage))


def test_the_type_in_which_probabilities_are_stored_does_not_show(tmp_path):
    image = image_of((14, 15, 16), seed=3)
    half, _ = written(predicted(tmp_path, image), tmp_path / "a.zarr")
    single, _ = written(
        predicted(tmp_path, image, dtype="float32"), tmp_path / "b.zarr"
    )
    np.testing.assert_array_equal(half, single)


def test_what_lies_beyond_smaller_pictures_is_not_counted(tmp_path):
    _, done = written(
        predicted(tmp_path, fenced(), radius=0), tmp_path / "s.zarr", coverage=0.8
    )
    assert sum(done.voxels) == sum(map(np.prod, SIZES))


def test_more_coverage_means_more_classes(tmp_path):
    path = predicted(tmp_path, image_of((14, 15, 16)))
    sizes = [
        written(path, tmp_path / "s.zarr", coverage=coverage)[0].astype(int)
        for coverage in KEPT.coverages
    ]
    assert all((np.diff(sizes, axis=0) >= 0).ravel())
    assert (sizes[0] == 0).any()
    assert (sizes[-1] == 2).all()


def test_what_is_written_says_where_it_comes_from(tmp_path):
    path = predicted(tmp_path, image_of((12, 12, 12)))
    _, done = written(path, tmp_path / "s.zarr")
    group = zarr.open_group(str(tmp_path / "s.zarr"), mode="r")
    record = group.attrs["sashiko"]
    assert record["kind"] == "sets"
    assert record["prediction"] == str(path)
    assert (record["coverage"], record["least"], record["strokes"]) == (0.9, 0.25, 14)
    axes = group["sizes"].attrs["ome"]["multiscales"][0]["axes"]
    assert [axis["name"] for axis in axes] == ["z", "y", "x"]
    assert done.path == str(tmp_path / "s.zarr")


def test_too_few_strokes_are_said(tmp_path):
    path = predicted(tmp_path, image_of((9, 9, 9)))
    for coverage, count in ((0.9, 0), (0.95, 1)):
        chosen = SetSettings(coverage=coverage)
        said = [
            event
            for event in prediction_sets(path, tmp_path / "s.zarr", chosen)
            if isinstance(event, Message)
        ]
        assert len(said) == count
    assert "needs 19 held-out strokes, the model has 14" in said[0].text


@pytest.mark.parametrize("before", [True, False])
def test_closing_midway_leaves_what_was_there(tmp_path, before, monkeypatch):
    monkeypatch.setattr(_finished, "VOXELS", 1)
    path, out = predicted(tmp_path, image_of((21, 17, 25))), tmp_path / "s.zarr"
    if before:
        sizes, _ = written(path, out, coverage=0.5)
    there = sorted(tmp_path.iterdir())
    work = prediction_sets(path, out, SetSettings(coverage=0.95))
    for event in work:
        if isinstance(event, Progress):
            assert event.done < event.total
            break
    work.close()
    assert sorted(tmp_path.iterdir()) == there
    if before:
        kept = zarr.open_array(str(out / "sizes" / "0"), mode="r")
        np.testing.assert_array_equal(kept, sizes)


def test_only_sets_are_replaced(tmp_path):
    path = predicted(tmp_path, image_of((9, 9, 9)))
    with pytest.raises(OutputError, match="does not hold prediction sets"):
        list(prediction_sets(path, path))
    precious = tmp_path / "precious.zarr"
    precious.mkdir()
    with pytest.raises(OutputError, match="left as it is"):
        list(prediction_sets(path, precious))
    assert list(precious.iterdir()) == []


def test_what_cannot_be_done_is_said(tmp_path):
    out, image = tmp_path / "s.zarr", image_of((30, 30, 30))
    with pytest.raises(OutputError, match="no prediction"):
        list(prediction_sets(tmp_path / "nothing.zarr", out))
    path = predicted(tmp_path, image)
    with pytest.raises(
        SettingsError, match=r"coverage 0\.7\..*0\.5, 0\.8, 0\.9, 0\.95"
    ):
        list(prediction_sets(path, out, SetSettings(coverage=0.7)))
    with pytest.raises(OutputError, match=r"not calibrated.*Train and predict again"):
        list(prediction_sets(predicted(tmp_path, image, sets=None), out))
    with pytest.raises(OutputError, match="blocks"):
        list(prediction_sets(predicted(tmp_path, image, stop=True), out))
    assert not out.exists()


def test_predictions_from_before_sets_and_damaged_ones_are_said(tmp_path):
    path, out = predicted(tmp_path, image_of((9, 9, 9))), tmp_path / "s.zarr"
    group = zarr.open_group(str(path), mode="r+")
    record = dict(group.attrs["sashiko"])
    group.attrs["sashiko"] = record | {"sets": {"strokes": "many"}}
    with pytest.raises(OutputError, match="damaged"):
        list(prediction_sets(path, out))
    del record["sets"]
    group.attrs["sashiko"] = record
    with pytest.raises(OutputError, match="not calibrated"):
        list(prediction_sets(path, out))
