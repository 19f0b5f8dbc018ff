"""Laws of measuring: known objects have known numbers, whatever the blocks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr
from instances_predictions import write_prediction

from napari_sashiko.errors import OutputError, SettingsError
from napari_sashiko.instances import (
    InstancesDone,
    InstanceSettings,
    component_sizes,
    dust_counts,
    scan_components,
    segment_instances,
)
from napari_sashiko.instances._heights import block_heights
from napari_sashiko.instances._source import open_source
from napari_sashiko.runners import Message


def measured(path, tmp_path, **settings):
    table = tmp_path / "table.csv"
    settings = InstanceSettings(label_class="fibre", **settings)
    events = list(segment_instances(path, tmp_path / "out.zarr", settings, table))
    return pd.read_csv(table), events[-1]


def test_a_straight_fibre_has_its_length_volume_and_direction(prediction, tmp_path):
    mask = np.zeros((12, 14, 30))
    mask[5:7, 6, 4:24] = 1
    path = prediction(mask, voxel_size=(2.0, 1.0, 0.5), unit="micrometer")
    row = measured(path, tmp_path)[0].iloc[0]
    assert row["voxels"] == 40
    assert row["volume"] == pytest.approx(40.0)
    assert row[["centroid_z", "centroid_y", "centroid_x"]].tolist() == pytest.approx(
        [5.5 * 2, 6.0, 13.5 * 0.5]
    )
    assert row["length"] == pytest.approx(10.0)
    assert row[["extent_z", "extent_y", "extent_x"]].tolist() == [4.0, 1.0, 10.0]
    assert row[["bbox_z_start", "bbox_z_stop"]].tolist() == [5, 7]
    orientation = row[["orientation_z", "orientation_y", "orientation_x"]]
    assert orientation.tolist() == pytest.approx([0, 0, 1], abs=1e-9)
    assert not row["touches_border"]
    assert row["unit"] == "micrometer"
    assert row["class"] == "fibre"


def test_a_diagonal_fibre_is_measured_end_to_end(prediction, tmp_path):
    mask = np.zeros((25, 25, 25))
    steps = np.arange(20)
    mask[steps + 2, steps + 3, 23 - steps] = 1
    row = measured(prediction(mask), tmp_path)[0].iloc[0]
    assert row["length"] == pytest.approx(20 * np.sqrt(3))
    assert np.allclose(
        np.abs(row[["orientation_z", "orientation_y", "orientation_x"]].tolist()),
        1 / np.sqrt(3),
    )
    assert row["orientation_z"] > 0
    assert row["orientation_x"] < 0


def test_every_number_equals_that_of_the_whole_array(prediction, tmp_path):
    rng = np.random.default_rng(5)
    mean = rng.random((19, 17, 23)).astype(np.float16)
    std = rng.random(mean.shape).astype(np.float16) / 4
    size = np.array([1.5, 1.0, 0.5])
    path = prediction(mean, std=std, voxel_size=tuple(size), unit="nm")
    table, _ = measured(path, tmp_path, threshold=0.7, connectivity=6)
    labels = zarr.open_array(str(tmp_path / "out.zarr/labels/0"), mode="r")[...]
    assert len(table) == labels.max() > 100
    mean, std = mean.astype(np.float64), std.astype(np.float64)
    for row in table.itertuples():
        where = np.argwhere(labels == row.label)
        assert row.voxels == len(where)
        assert (row.centroid_z, row.centroid_y, row.centroid_x) == pytest.approx(
            tuple(where.mean(axis=0) * size)
        )
        axis = np.array([row.orientation_z, row.orientation_y, row.orientation_x])
        along = where * size @ axis
        length = np.ptp(along) + np.abs(axis) @ size
        assert row.length == pytest.approx(length)
        if len(where) > 3:
            spread = np.linalg.eigvalsh(np.cov(where.T * size[:, None], bias=True))
            assert np.var(along) == pytest.approx(spread[-1])
        picked = tuple(where.T)
        assert row.mean_probability == pytest.approx(mean[picked].mean(), rel=1e-5)
        assert row.mean_std == pytest.approx(std[picked].mean(), rel=1e-5)
        ends = (where == 0) | (where == np.array(labels.shape) - 1)
        assert row.touches_border == ends.any()


def test_minus_std_keeps_what_the_ensemble_agrees_on(prediction, tmp_path):
    mean = np.full((4, 4, 8), 0.0)
    mean[1:3, 1:3, 1:3] = 0.7
    mean[1:3, 1:3, 5:7] = 0.7
    std = np.zeros(mean.shape)
    std[:, :, 4:] = 0.25
    path = prediction(mean, std=std)
    assert len(measured(path, tmp_path)[0]) == 2
    assert len(measured(path, tmp_path, minus_std=1.0)[0]) == 1


def test_a_voxel_at_the_threshold_is_left_out(prediction, tmp_path):
    mean = np.zeros((3, 3, 3))
    mean[1, 1, 1] = 0.5
    assert len(measured(prediction(mean), tmp_path)[0]) == 0


def test_dust_goes_and_the_count_was_foretold(prediction, tmp_path):
    mask = np.zeros((3, 5, 20))
    for size, start in ((1, 0), (2, 3), (3, 7), (5, 12)):
        mask[1, 2, start : start + size] = 1
    path = prediction(mask)
    settings = InstanceSettings(label_class=2)
    sizes = component_sizes(path, settings)
    assert sizes.tolist() == [1, 2, 3, 5]
    assert dust_counts(sizes, 3) == (2, 2)
    table, done = measured(path, tmp_path, dust="3")
    assert table["voxels"].tolist() == [5, 3]
    assert (done.count, done.removed) == (2, 2)
    labels = zarr.open_array(str(tmp_path / "out.zarr/labels/0"), mode="r")[...]
    assert sorted(np.unique(labels)) == [0, 1, 2]


def test_sizes_are_remembered_until_the_question_changes(prediction, monkeypatch):
    path = prediction(np.random.default_rng(0).random((9, 9, 9)))
    settings = InstanceSettings(label_class=2, threshold=0.8)
    found = component_sizes(path, settings)

    def searched(*_):
        raise AssertionError("searched again")

    monkeypatch.setattr("napari_sashiko.instances.cache.find_components", searched)
    again = InstanceSettings(label_class="fibre", threshold=0.8, dust="50")
    assert np.array_equal(component_sizes(path, again), found)
    assert list(scan_components(path, again))[-1].count == len(found)
    with pytest.raises(AssertionError, match="again"):
        component_sizes(path, InstanceSettings(label_class=2, threshold=0.81))


def test_a_damaged_memory_is_searched_again(prediction, tmp_path):
    path = prediction(np.eye(6)[None].repeat(2, 0))
    settings = InstanceSettings(label_class=2)
    before = component_sizes(path, settings)
    (tmp_path / ".prediction.zarr.components.npz").write_bytes(b"PK\x03\x04 torn")
    assert np.array_equal(component_sizes(path, settings), before)


def test_a_memory_that_is_damaged_in_its_middle_is_searched_again(prediction, tmp_path):
    path = prediction(np.random.default_rng(0).random((9, 9, 9)))
    settings = InstanceSettings(label_class=2, threshold=0.8)
    before = component_sizes(path, settings)
    memory = tmp_path / ".prediction.zarr.components.npz"
    whole = bytearray(memory.read_bytes())
    at = whole.index(b"sorted_sizes.npy") + 200
    whole[at] ^= 255
    memory.write_bytes(whole)
    assert np.array_equal(component_sizes(path, settings), before)


def test_objects_of_an_overwritten_prediction_are_searched_anew(tmp_path):
    settings, path = InstanceSettings(label_class=2), tmp_path / "prediction.zarr"
    for created, objects in (("monday", 3), ("tuesday", 2)):
        mean = np.zeros((1, 9, 9))
        mean[0, : 2 * objects : 2, 4] = 1
        write_prediction(path, mean, created=created)
        assert len(component_sizes(path, settings)) == objects


def test_objects_of_separate_pictures_have_areas(prediction, tmp_path):
    mean = np.zeros((2, 9, 9))
    mean[:, 2:4, 2:4] = 1
    path = prediction(mean, frame=1, voxel_size=(5.0, 1.0, 1.0))
    table, _ = measured(path, tmp_path)
    assert table["volume"].tolist() == [4, 4]


def test_a_flat_prediction_gives_flat_labels_and_areas(prediction, tmp_path):
    mask = np.zeros((20, 30))
    mask[4, 5:15] = 1
    path = prediction(mask, voxel_size=(1.0, 2.0, 3.0))
    table, _ = measured(path, tmp_path)
    labels = zarr.open_array(str(tmp_path / "out.zarr/labels/0"), mode="r")
    assert labels.shape == (20, 30)
    assert int((labels[...] == 1).sum()) == 10
    row = table.iloc[0]
    assert row["volume"] == pytest.approx(60.0)
    assert row["length"] == pytest.approx(30.0)
    assert not row["touches_border"]


def test_no_object_at_all_is_an_empty_table(prediction, tmp_path):
    table, done = measured(prediction(np.zeros((5, 5, 5))), tmp_path)
    assert len(table) == 0
    assert "length" in table.columns
    assert done.count == 0


def test_closing_midway_leaves_nothing_behind(prediction, tmp_path):
    path = prediction(np.random.default_rng(1).random((20, 20, 20)))
    out = tmp_path / "run" / "out.zarr"
    work = segment_instances(
        path, out, InstanceSettings(label_class=2), tmp_path / "t.csv"
    )
    for event in work:
        if getattr(event, "what", "") == "writing objects":
            break
    work.close()
    assert list((tmp_path / "run").iterdir()) == []
    assert not (tmp_path / "t.csv").exists()


def test_stopping_while_objects_are_remembered_leaves_nothing(
    prediction, tmp_path, monkeypatch
):
    def stop(*_args, **_arrays):
        raise KeyboardInterrupt

    path = prediction(np.ones((4, 4, 4)))
    monkeypatch.setattr(np, "savez", stop)
    with pytest.raises(KeyboardInterrupt):
        list(segment_instances(path, tmp_path / "out.zarr", InstanceSettings()))
    assert list(tmp_path.iterdir()) == [path]


def test_stopping_while_instances_are_replaced_keeps_those_before(
    prediction, tmp_path, monkeypatch
):
    path = prediction(np.ones((4, 4, 4)))
    measured(path, tmp_path)
    rename = Path.rename

    def stop(part, target):
        if target == tmp_path / "out.zarr" and part.name != ".out.zarr.old":
            raise KeyboardInterrupt
        return rename(part, target)

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(KeyboardInterrupt):
        list(segment_instances(path, tmp_path / "out.zarr", InstanceSettings()))
    assert (zarr.open_group(str(tmp_path / "out.zarr"))["labels/0"][...] == 1).all()


def test_found_instances_are_replaced_but_nothing_else(prediction, tmp_path):
    path = prediction(np.ones((4, 4, 4)))
    measured(path, tmp_path)
    _, done = measured(path, tmp_path, connectivity=6)
    assert isinstance(done, InstancesDone)
    precious = tmp_path / "precious.zarr"
    zarr.create_group(str(precious))
    with pytest.raises(OutputError, match="precious"):
        list(segment_instances(path, precious, InstanceSettings()))
    with pytest.raises(OutputError, match="not hold instances"):
        list(segment_instances(path, path, InstanceSettings()))


def test_without_a_class_it_is_the_second(prediction, tmp_path):
    mask = np.zeros((6, 6, 6))
    mask[2, 2, 2:5] = 1
    work = segment_instances(prediction(mask), tmp_path / "out.zarr")
    texts = [event.text for event in work if isinstance(event, Message)]
    assert texts[0] == "Objects of 'fibre', the second class."


def test_an_unfinished_prediction_is_said(prediction, tmp_path):
    path = prediction(np.ones((4, 4, 4)), ledger=0)
    work = segment_instances(path, tmp_path / "out.zarr", InstanceSettings())
    texts = [event.text for event in work if isinstance(event, Message)]
    assert any("0 of 1 blocks" in text for text in texts)


def test_an_unknown_class_is_refused_with_the_known_ones(prediction, tmp_path):
    path = prediction(np.ones((4, 4, 4)))
    with pytest.raises(SettingsError, match=r"whale.*2 \(fibre\)"):
        list(
            segment_instances(
                path, tmp_path / "o.zarr", InstanceSettings(label_class="whale")
            )
        )


def test_something_else_than_a_prediction_is_refused(tmp_path):
    with pytest.raises(OutputError, match="not a prediction"):
        list(segment_instances(tmp_path, tmp_path / "o.zarr"))


def test_what_lies_beyond_smaller_pictures_is_no_object(prediction, tmp_path):
    mask = np.zeros((3, 12, 14))
    mask[0, 9:12, 2:5] = 1  # in a picture that fills the stack
    mask[1, 4:10, 6:8] = 1  # over the edge of one of 7 x 14
    mask[2, 2:4, 9:12] = 1  # beyond the edge of one of 12 x 9
    mask[2, 5:7, 3:5] = 1
    sizes = [[12, 14], [7, 14], [12, 9]]
    path = prediction(mask, frame=1, extents=sizes)
    table, done = measured(path, tmp_path)
    found = table.sort_values("frame")
    assert found["frame"].tolist() == [0, 1, 2]
    assert found["voxels"].tolist() == [9, 6, 4]
    assert found["touches_border"].tolist() == [True, True, False]
    assert done.count == 3
    cut, _ = measured(path, tmp_path, split="distance")
    cut = cut.sort_values("frame")
    assert cut["voxels"].tolist() == [9, 6, 4]


def test_objects_are_as_deep_at_the_edge_of_a_smaller_picture_as_in_it_alone(tmp_path):
    mask = np.zeros((1, 40, 60))
    mask[0, 10:30, 20:60] = 1
    heights = []
    for name, width, options in (
        ("among.zarr", 60, {"extents": [[40, 40]]}),
        ("alone.zarr", 40, {}),
    ):
        path = write_prediction(tmp_path / name, mask[..., :width], frame=1, **options)
        source = open_source(path, InstanceSettings(split="distance"))
        box = tuple(slice(0, n) for n in (1, 40, width))
        heights.append(block_heights(source, box)[1:-1, 1:-1, 1:41])
    np.testing.assert_array_equal(*heights)
    assert heights[0][0, 20, -1] > heights[0][0, 20, 22]
