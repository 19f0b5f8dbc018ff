"""Laws of splitting: touching objects come apart, and blocks do not show."""

import numpy as np
import pandas as pd
import pytest
import zarr
from instances_crowds import balls, contacts, crowd, f1_score, seen
from instances_predictions import write_prediction
from scipy import ndimage

from napari_sashiko.errors import SettingsError
from napari_sashiko.instances import (
    InstanceSettings,
    component_sizes,
    preview_instances,
    segment_instances,
)
from napari_sashiko.instances import components as components_room

SMALL = (16, 20, 24)
WHOLE = (256, 256, 256)


@pytest.fixture
def found(tmp_path, monkeypatch):
    """A function (prediction, block, **settings) -> labels, table."""

    def find(path, block=WHOLE, **settings):
        monkeypatch.setattr(components_room, "block_shape", lambda *_: block)
        chosen = InstanceSettings(label_class=2, **settings)
        out, table = tmp_path / "out.zarr", tmp_path / "table.csv"
        list(segment_instances(path, out, chosen, table))
        memory = path.with_name(f".{path.name}.components.npz")
        memory.unlink()
        labels = zarr.open_array(str(out / "labels" / "0"), mode="r")[...]
        return labels, pd.read_csv(table)

    return find


def same_up_to_names(a, b):
    """Whether two labelled arrays have the same objects."""
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1)
    return len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


def test_two_balls_that_overlap_become_two(prediction, found):
    centers = ((15, 15, 13), (15, 15, 29))
    mask = balls((30, 30, 42), centers, 10)
    path = prediction(mask, chunks=SMALL)
    assert found(path)[0].max() == 1
    labels, table = found(path, split="distance")
    assert labels.max() == 2
    assert np.array_equal(labels > 0, mask)
    # The cut is the plane between them, give or take a voxel.
    left, right = labels[15, 15, 13], labels[15, 15, 29]
    assert (labels[:, :, :20][mask[:, :, :20]] == left).all()
    assert (labels[:, :, 23:][mask[:, :, 23:]] == right).all()
    assert sorted(table["centroid_x"].round()) == pytest.approx([13, 29], abs=1)
    assert not table["touches_border"].any()


def test_the_same_without_depth_along_z(prediction, found):
    mask = balls((1, 40, 60), ((0, 20, 18), (0, 20, 38)), 12)[0]
    path = prediction(mask, chunks=SMALL)
    assert found(path)[0].max() == 1
    labels, _ = found(path, (1, 20, 24), split="distance")
    assert labels.shape == mask.shape
    assert labels.max() == 2
    assert labels[20, 18] != labels[20, 38]


def test_coarse_planes_do_not_count_as_necks(prediction, found):
    size = (3.0, 1.0, 1.0)
    shape = (16, 40, 64)
    mask = balls(shape, ((22, 20, 20), (22, 20, 42)), 13.5, size)
    path = prediction(mask, voxel_size=size, chunks=SMALL)
    labels, _ = found(path, split="distance")
    assert labels.max() == 2
    assert labels[7, 20, 20] != labels[7, 20, 42]
    assert len(np.unique(labels[:, 20, 20])) == 2  # the ball, and nothing


@pytest.mark.parametrize(
    ("waist", "count"),
    [
        ((slice(4, 16), slice(5, 9)), 1),  # 16 wide where 24 are: thickness is 12
        ((slice(6, 14), slice(4, 10)), 2),  # 8 thick where 12 are
    ],
)
def test_a_waist_is_measured_in_units_of_length(prediction, found, waist, count):
    mask = np.zeros((20, 60, 14), bool)
    mask[4:16, 2:58, 4:10] = True
    mask[:, 28:32] = False
    mask[waist[0], 28:32, waist[1]] = True
    path = prediction(mask, voxel_size=(1.0, 1.0, 4.0), chunks=SMALL)
    assert found(path)[0].max() == 1
    assert found(path, split="distance")[0].max() == count


@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("size", [(1.0, 1.0, 1.0), (2.7, 1.3, 1.0)])
def test_blocks_do_not_show_in_a_chain_of_balls(prediction, found, size, connectivity):
    steps = np.arange(6)
    centers = np.stack([10 + 5 * steps, 8 + 7 * steps, 9 + 10 * steps], axis=1)
    path = prediction(
        balls((44, 56, 72), centers, 8, size), voxel_size=size, chunks=SMALL
    )
    settings = {"split": "distance", "connectivity": connectivity}
    whole, _ = found(path, **settings)
    assert whole.max() > 2
    for block in (SMALL, (48, 20, 72), (16, 60, 24)):
        assert same_up_to_names(found(path, block, **settings)[0], whole)


@pytest.mark.parametrize("split", ["distance", "boundary"])
@pytest.mark.parametrize("depth", [0.05, 0.3])
def test_blocks_do_not_show_in_what_has_no_shape(prediction, found, split, depth):
    rng = np.random.default_rng(4)
    noise = ndimage.gaussian_filter(rng.random((36, 40, 48)), 1.5)
    path = prediction(
        0.6 * (noise > np.median(noise)),
        boundary=0.4 * rng.random(noise.shape),
        voxel_size=(1.7, 1.0, 1.2),
        chunks=SMALL,
    )
    settings = {"split": split, "split_depth": depth}
    if split == "boundary":
        settings["boundary_class"] = "gap"
    whole, table = found(path, **settings)
    assert whole.max() > 20
    assert table["voxels"].sum() == (whole > 0).sum()
    for block in (SMALL, (48, 20, 24)):
        assert same_up_to_names(found(path, block, **settings)[0], whole)


def test_what_is_larger_than_the_halo_stays_one(prediction, found):
    large = balls((40, 40, 90), ((20, 20, 20), (20, 20, 45), (20, 20, 70)), 18)
    rod = np.zeros((40, 30, 90))
    rod[10:13, 10:13] = 1
    path = prediction(np.concatenate([large, rod], axis=1), chunks=(20, 35, 45))
    settings = {"split": "distance", "split_radius": 8}
    labels, _ = found(path, (20, 35, 45), **settings)
    # The balls have necks of 12 voxels, deeper than is looked at; the rod has none.
    assert labels.max() == 2
    assert labels[20, 20, 20] == labels[20, 20, 70]
    deeper, _ = found(path, (20, 35, 45), split="distance", split_radius=20)
    assert deeper.max() == 4


@pytest.mark.parametrize("radii", [(3.5, 5.5), (6.5, 9.5)])
def test_touching_nuclei_are_told_apart_by_shape(prediction, found, radii):
    truth = crowd(0, (32, 64, 64), radii=radii)
    path = prediction(truth > 0, chunks=(16, 32, 32))
    assert f1_score(found(path)[0], truth) < 0.1
    assert f1_score(found(path, split="distance")[0], truth) > 0.9


def test_a_weak_boundary_tells_cells_apart_that_fill_the_volume(prediction, found):
    rng = np.random.default_rng(2)
    places = rng.random((25, 3)) * (32, 64, 64)
    grid = np.indices((32, 64, 64)).reshape(3, -1).T
    far = ((grid[:, None] - places) ** 2).sum(axis=2)
    truth = far.argmin(axis=1).reshape(32, 64, 64) + 1
    boundary = 0.8 * seen(rng, contacts(truth), 0.1)
    path = prediction(1 - boundary, boundary=boundary, chunks=(16, 32, 32))
    settings = {"split": "boundary", "boundary_class": 3}
    without = f1_score(found(path)[0], truth)
    labels, _ = found(path, **settings)
    assert f1_score(labels, truth) > without + 0.3
    assert f1_score(labels, truth) > 0.8
    assert np.array_equal(labels > 0, (1 - boundary).astype(np.float16) > 0.5)


def test_a_boundary_with_a_hole_still_separates(prediction, found):
    mean, gap = np.full((20, 20, 40), 0.95), np.zeros((20, 20, 40))
    gap[:, :, 20] = 0.9
    gap[8:12, 8:12, 20] = 0
    path = prediction(mean - gap, boundary=gap, chunks=(20, 20, 20))
    assert found(path)[0].max() == 1
    assert found(path, split="distance")[0].max() == 1 + 1
    weak = np.where(gap > 0, 0.45, 0)  # all of it is still object
    still = 0.95 - weak + 0.03 * (weak > 0)
    path = prediction(still, boundary=weak, chunks=(20, 20, 20))
    assert found(path, split="distance")[0].max() == 1
    labels, _ = found(path, split="boundary", boundary_class="gap")
    assert labels.max() == 2
    assert (labels > 0).all()


def test_dust_count_and_cache_know_how_objects_are_split(prediction, found):
    mask = balls((30, 30, 42), ((15, 15, 13), (15, 15, 29)), 10)
    path = prediction(mask, chunks=SMALL)
    one = InstanceSettings(label_class=2)
    two = InstanceSettings(label_class=2, split="distance")
    few = InstanceSettings(label_class=2, split="distance", split_depth=0.8)
    sizes = component_sizes(path, two)
    assert len(sizes) == 2
    assert component_sizes(path, one).tolist() == [sizes.sum()]
    assert len(component_sizes(path, two)) == 2
    assert len(component_sizes(path, few)) == 1
    labels, table = found(path, split="distance", dust=str(sizes[1]))
    assert table["voxels"].tolist() == [sizes[1]]
    assert (labels > 0).sum() == sizes[1]


def test_the_preview_shows_what_comes(prediction, found):
    truth = crowd(1, (24, 60, 60), radii=(5, 7))
    path = prediction(truth > 0, chunks=(16, 32, 32))
    settings = InstanceSettings(label_class=2, split="distance")
    region = (slice(12, 13), slice(5, 55), slice(0, 48))
    seen_now = preview_instances(path, region, settings)
    assert seen_now.shape == (1, 50, 48)
    assert f1_score(seen_now, found(path, split="distance")[0][region]) > 0.95


def test_threads_write_the_bytes_of_serial(prediction, tmp_path, monkeypatch):
    monkeypatch.setattr(components_room, "block_shape", lambda *_: SMALL)
    truth = crowd(0, (40, 44, 48), radii=(4, 6))
    path = prediction(truth > 0, chunks=SMALL)
    assert written(path, tmp_path / "serial", runner="serial") == written(
        path, tmp_path / "threads", runner="threads", workers=3
    )


@pytest.mark.slow
def test_a_cluster_writes_the_bytes_of_serial(tmp_path, prediction, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(components_room, "block_shape", lambda *_: SMALL)
    truth = crowd(0, (40, 44, 48), radii=(4, 6))
    path = prediction(0.6 * (truth > 0), boundary=0.36 * contacts(truth), chunks=SMALL)
    settings = {"split": "boundary", "boundary_class": "gap"}
    serial = written(path, tmp_path / "serial", runner="serial", **settings)
    dask = written(path, tmp_path / "dask", runner="dask", workers=2, **settings)
    assert dask == serial


def written(path, folder, **settings):
    """Bytes of labels and table; the search is not remembered."""
    folder.mkdir()
    chosen = InstanceSettings(**{"label_class": 2, "split": "distance", **settings})
    list(segment_instances(path, folder / "out.zarr", chosen, folder / "out.csv"))
    (path.parent / f".{path.name}.components.npz").unlink()
    found = {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file() and each.name != "zarr.json"
    }
    assert len(found) > 10
    return found


def test_splitting_at_no_class_or_at_the_own_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="class between objects"):
        InstanceSettings(split="boundary")
    with pytest.raises(SettingsError, match=r"not for split = 'distance'"):
        InstanceSettings(split="distance", boundary_class="gap")
    path = write_prediction(tmp_path / "p.zarr", np.ones((4, 4, 4)))
    own = InstanceSettings(split="boundary", label_class=2, boundary_class="fibre")
    with pytest.raises(SettingsError, match="both the class"):
        component_sizes(path, own)
    unknown = InstanceSettings(split="boundary", label_class=2, boundary_class=9)
    with pytest.raises(SettingsError, match="no class 9"):
        component_sizes(path, unknown)
