"""Time: what is learned and found in one frame never depends on another one."""

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr

import napari_sashiko as ns
from napari_sashiko.errors import LabelError, VolumeError
from napari_sashiko.pipeline import (
    as_volume,
    describe,
    open_image,
    open_instances,
    open_prediction,
    preview,
    read_paint,
)
from napari_sashiko.training import fit
from napari_sashiko.volumes import Slices, Time, create_ome_image

TIMES, DEPTH, HEIGHT, WIDTH = 3, 5, 30, 32
HALF_A_MINUTE = Time(30.0, "s")
SMALL = {"depth": 2, "base_channels": 4}
LOOKS = {
    "a forest": {"members": 0, "trees": 4},
    "slices with neighbours": {
        "members": 1,
        "epochs": 1,
        "trees": 4,
        "patch": 16,
        "network": "tunet",
        "neighbours": 2,
        "network_settings": SMALL,
    },
    "blocks": {
        "members": 1,
        "epochs": 1,
        "trees": 4,
        "patch": 16,
        "dims": "3",
        "network": "tunet",
        "network_settings": SMALL,
    },
}


def moving(depth=DEPTH, seed=0):
    """Image, strokes and truth of a ball that wanders and touches top and bottom."""
    rng = np.random.default_rng(seed)
    shape = (TIMES, depth, HEIGHT, WIDTH)
    truth = np.ones(shape, np.uint8)
    t, z, y, x = np.indices(shape)
    ball = (y - 10 - 3 * t) ** 2 + (x - 12 - 3 * t) ** 2 + 0 * z < 36
    truth[ball] = 2
    light = np.where(truth == 2, 140, 60) + 15 * t  # brighter with time
    image = (light + rng.normal(0, 8, shape)).clip(0, 255).astype(np.uint8)
    labels = np.zeros(shape, np.uint8)
    for time in (0, 1):
        for deep in (0, depth - 1):  # strokes that face those of the next frame
            labels[time, deep, 8 + 3 * time : 12 + 3 * time, 9 + 3 * time] = 2
            labels[time, deep, 10 + 3 * time, 9 + 3 * time : 15 + 3 * time] = 2
            labels[time, deep, 28, 4:30] = 1
            labels[time, deep, 2:26, 29] = 1
    return image, labels, truth


def frames_of(image):
    volume = as_volume(image, axes="tzyx" if image.ndim == 4 else "tyx")
    volume.time = HALF_A_MINUTE
    return volume


def result(path, name):
    return np.asarray(zarr.open_array(str(path / name / "0"), mode="r"))


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    """Image, truth, model and prediction of a forest on 3D + t."""
    return make_timed(tmp_path_factory.mktemp("time"))


def make_timed(folder):
    """Train and predict."""
    image, labels, truth = moving()
    model, out = folder / "m.sashiko-model", folder / "p.zarr"
    names = ["dark", "ball"]
    ns.train(frames_of(image), labels, model, classes=names, **LOOKS["a forest"])
    ns.predict(model, frames_of(image), out, device="cpu")
    return image, truth, model, out


@pytest.mark.parametrize(
    ("look", "border_weight"),
    [("a forest", 0.0), ("slices with neighbours", 0.2), ("blocks", 0.0)],
)
def test_each_frame_is_predicted_as_if_it_were_alone(
    tmp_path, monkeypatch, look, border_weight
):
    monkeypatch.setattr(fit, "STEPS", 1)
    image, labels, _ = moving()
    model = tmp_path / "m.sashiko-model"
    ns.train(frames_of(image), labels, model, device="cpu", **LOOKS[look])
    cut = {"window": (4, 24, 32), "border": (1, 4, 4), "border_weight": border_weight}
    cut |= {"device": "cpu"}
    ns.predict(model, frames_of(image), tmp_path / "all.zarr", **cut)
    found = {name: result(tmp_path / "all.zarr", name) for name in ("mean", "std")}
    assert found["mean"].shape == (TIMES, 2, DEPTH, HEIGHT, WIDTH)
    ns.predict(model, image[1], tmp_path / "alone.zarr", **cut)
    for name, values in found.items():
        alone = result(tmp_path / "alone.zarr", name)
        np.testing.assert_array_equal(values[1], alone)


def test_a_picture_at_each_time_is_predicted_as_if_it_were_alone(tmp_path):
    image, labels, _ = (each[:, 0] for each in moving())
    model = tmp_path / "m.sashiko-model"
    ns.train(frames_of(image), labels, model, device="cpu", **LOOKS["a forest"])
    ns.predict(model, frames_of(image), tmp_path / "all.zarr", device="cpu")
    found = result(tmp_path / "all.zarr", "classes")
    assert found.shape == (TIMES, HEIGHT, WIDTH)
    ns.predict(model, image[1], tmp_path / "alone.zarr", device="cpu")
    np.testing.assert_array_equal(found[1], result(tmp_path / "alone.zarr", "classes"))


def test_a_result_keeps_the_time_axis_its_step_and_unit(timed):
    _, _, _, out = timed
    for name, axes in (("mean", "tczyx"), ("std", "tczyx"), ("classes", "tzyx")):
        volume = open_image(out / name)
        assert volume.time == HALF_A_MINUTE
        assert volume.frame == DEPTH
        array = zarr.open_array(str(out / name / "0"), mode="r")
        assert "".join(array.metadata.dimension_names) == axes
    (line, *_) = describe(out).lines
    assert "3 time points (30 s apart) of 5 x 30 x 32 voxels" in line


def test_a_preview_of_a_slice_is_what_the_prediction_says(timed):
    image, _, model, out = timed
    found = open_prediction(out)
    region = (slice(DEPTH, DEPTH + 1), slice(0, HEIGHT), slice(0, WIDTH))
    shown = preview(model, frames_of(image), region)
    wanted = Slices(found.mean)[(slice(None), *region)]
    np.testing.assert_allclose(shown.mean, wanted, atol=2e-3)
    np.testing.assert_array_equal(shown.classes, Slices(found.class_ids)[region])


def test_no_object_goes_from_one_time_to_the_next(timed, tmp_path):
    _, _, _, out = timed
    objects, table = tmp_path / "o.zarr", tmp_path / "o.csv"
    ns.segment_instances(out, objects, label_class="ball", dust="50", table=table)
    labels = np.asarray(open_instances(objects).labels)
    assert labels.shape == (TIMES, DEPTH, HEIGHT, WIDTH)
    ids = [set(np.unique(frame)) - {0} for frame in labels]
    assert all(ids)
    assert sum(map(len, ids)) == len(set().union(*ids))
    rows = pd.read_csv(table)
    for row in rows.itertuples():
        t, z, y, x = np.nonzero(labels == row.label)
        assert set(t) == {row.frame}
        found = (row.centroid_z, row.centroid_y, row.centroid_x)
        np.testing.assert_allclose(found, (z.mean(), y.mean(), x.mean()))
        assert (row.bbox_z_start, row.bbox_z_stop) == (z.min(), z.max() + 1)
        assert row.touches_border  # from the first slice to the last
    assert open_image(objects / "labels").time == HALF_A_MINUTE


def test_objects_that_are_cut_apart_stay_in_their_frames(timed, tmp_path):
    _, _, _, out = timed
    objects = tmp_path / "o.zarr"
    ns.segment_instances(out, objects, label_class=2, dust="50", split="distance")
    labels = np.asarray(open_instances(objects).labels)
    ids = [set(np.unique(frame)) - {0} for frame in labels]
    assert all(ids)
    assert sum(map(len, ids)) == len(set().union(*ids))


def test_a_truth_of_the_shape_of_the_image_scores_it(timed):
    _, truth, _, out = timed
    right = (result(out, "classes") == truth).mean()
    assert ns.evaluate(out, truth).accuracy == pytest.approx(right, abs=1e-3)
    with pytest.raises(VolumeError, match="not clear"):
        ns.evaluate(out, truth[..., None])


def test_numbers_with_error_bars_count_the_objects_of_all_frames(timed, tmp_path):
    image, _, model, _ = timed
    found = ns.measure(
        model,
        frames_of(image),
        tmp_path / "numbers",
        label_class="ball",
        dust="50",
        device="cpu",
    )
    assert found.count.mean == TIMES


def test_a_result_is_written_to_a_tiff_with_its_time_axis(timed, tmp_path):
    _, _, _, out = timed
    for part, axes in (("classes", "TZYX"), ("mean", "TCZYX")):
        path = tmp_path / f"{part}.tif"
        ns.export(out, path, part=part)
        with tifffile.TiffFile(path) as file:
            assert file.series[0].axes == axes
        volume = open_image(path)
        assert volume.time == HALF_A_MINUTE
        np.testing.assert_allclose(
            volume.read(volume.around((slice(0, TIMES * DEPTH), slice(0), slice(0)))),
            open_image(out / part).read(
                (slice(0, TIMES * DEPTH), slice(0, HEIGHT), slice(0, WIDTH))
            ),
        )


def test_sets_lie_on_the_image(timed, tmp_path):
    _, _, _, out = timed
    ns.prediction_sets(out, tmp_path / "s.zarr", coverage=0.5)
    sizes = open_image(tmp_path / "s.zarr" / "sizes")
    assert sizes.stacking == open_image(out / "classes").stacking


def test_labels_without_names_of_axes_have_those_of_the_image(tmp_path):
    image, labels, _ = moving()
    np.save(tmp_path / "labels.npy", labels)
    painted = read_paint(tmp_path / "labels.npy", image=frames_of(image)).labelled
    assert painted.shape == (TIMES * DEPTH, HEIGHT, WIDTH)
    assert len(painted) == np.count_nonzero(labels)
    with pytest.raises(VolumeError, match="tzyx"):
        read_paint(tmp_path / "labels.npy")
    with pytest.raises(LabelError, match="shape"):
        ns.train(frames_of(image), labels[:-1], tmp_path / "m.sashiko-model")


def test_a_copy_for_other_processes_is_the_same_image(tmp_path):
    image, _, _ = moving()
    group = zarr.create_group(str(tmp_path / "a.zarr"))
    array = create_ome_image(
        group,
        "image",
        shape=(TIMES, 2, DEPTH, HEIGHT, WIDTH),
        chunks=(1, 2, 2, 16, 16),
        dtype="uint8",
        axes="tczyx",
        voxel_size=(2.0, 0.5, 0.5),
        unit="um",
        time=HALF_A_MINUTE,
    )
    Slices(array)[
        (slice(0, 1), slice(0, TIMES * DEPTH), slice(0, HEIGHT), slice(0, WIDTH))
    ] = image.reshape(1, -1, HEIGHT, WIDTH)
    volume = open_image(tmp_path / "a.zarr" / "image")
    assert (volume.channels, volume.frame, volume.time) == (2, DEPTH, HALF_A_MINUTE)
    assert volume.voxel_size == (2.0, 0.5, 0.5)
    across = (slice(3, 11), slice(0, HEIGHT), slice(0, WIDTH))
    np.testing.assert_array_equal(
        volume.read(across)[0], image.reshape(-1, HEIGHT, WIDTH)[3:11]
    )
