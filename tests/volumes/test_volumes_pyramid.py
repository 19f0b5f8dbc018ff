"""Laws of coarser levels: of what they cover, where they say, whole or not there."""

from itertools import pairwise, product

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.runners import Progress, open_runner
from napari_sashiko.volumes import (
    create_ome_image,
    drop_levels,
    full_region,
    open_levels,
    open_volume,
    pyramid,
    write_levels,
)

RNG = np.random.default_rng(0)


@pytest.fixture
def small(monkeypatch):
    """Levels down to six voxels, in small chunks."""
    make_small(monkeypatch)


def make_small(patch):
    patch.setattr(pyramid, "MOST", 6)
    patch.setattr(pyramid, "LEAST", 3)
    patch.setattr(pyramid, "CHUNKS", {2: (4, 5), 3: (2, 3, 4)})


def write_image(folder, values, size=(1.0, 1.0, 1.0)):
    path = folder / "r.zarr"
    axes = "czyx"[-values.ndim :]
    spatial = len(axes.strip("c"))
    create_ome_image(
        zarr.create_group(str(path), overwrite=True), "mean", shape=values.shape,
        chunks=(1, 3, 5, 4)[-values.ndim :], dtype=str(values.dtype), axes=axes,
        voxel_size=size[-spatial:], unit="um",
    )[...] = values  # fmt: skip
    return path / "mean"


def levels_of(image, how, runner="serial"):
    with open_runner(runner, workers=None if runner == "serial" else 3) as run:
        events = list(write_levels(image, how, run))
    return events, [np.asarray(level) for level in open_levels(image)]


def blocks(fine, coarse):
    """Every voxel of a coarser level with those that it covers."""
    steps = [-(-n // m) for n, m in zip(fine.shape, coarse.shape, strict=True)]
    for at in product(*(range(n) for n in coarse.shape)):
        box = tuple(slice(a * s, a * s + s) for a, s in zip(at, steps, strict=True))
        yield at, fine[box].ravel()


@settings(max_examples=15)
@given(
    shape=st.sampled_from(
        [(9, 13, 14), (2, 7, 25), (3, 8, 9, 7), (13, 20), (1, 1, 30)]
    ),
    size=st.sampled_from([(1.0, 1.0, 1.0), (4.0, 1.0, 1.0), (1.0, 1.0, 2.0)]),
    runner=st.sampled_from(["serial", "threads"]),
)
def test_a_level_is_the_mean_of_what_it_covers(tmp_path_factory, shape, size, runner):
    folder = tmp_path_factory.mktemp("levels")
    values = RNG.random(shape).astype(np.float16)
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        image = write_image(folder, values, size)
        _, levels = levels_of(image, "mean", runner)
    np.testing.assert_array_equal(levels[0], values)
    for fine, coarse in pairwise(levels):
        assert coarse.dtype == np.float16
        for at, covered in blocks(fine, coarse):
            mean = covered.astype(float).mean()
            assert coarse[at] == pytest.approx(mean, abs=1e-3)
    spatial = levels[-1].shape[-min(len(shape), 3) :]
    assert max(spatial) <= 6


@settings(max_examples=15)
@given(shape=st.sampled_from([(9, 13, 14), (13, 20)]), top=st.sampled_from([2, 3, 9]))
def test_labels_get_the_commonest_number_and_no_new_ones(tmp_path_factory, shape, top):
    folder = tmp_path_factory.mktemp("levels")
    values = RNG.integers(0, top, shape).astype(np.uint32) * 2**29
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        _, levels = levels_of(write_image(folder, values), "commonest")
    assert len(levels) > 1
    for fine, coarse in pairwise(levels):
        assert coarse.dtype == np.uint32
        padding = [
            (0, 2 * m - n) for n, m in zip(fine.shape, coarse.shape, strict=True)
        ]
        for at, covered in blocks(np.pad(fine, padding, mode="edge"), coarse):
            numbers, counts = np.unique(covered, return_counts=True)
            best = counts[numbers == coarse[at]]
            assert best.size
            assert best[0] == counts.max()
            tied = numbers[counts == counts.max()]
            assert coarse[at] != 0 or list(tied) == [0]


@pytest.mark.usefixtures("small")
def test_a_level_says_where_it_is(tmp_path):
    image = write_image(tmp_path, RNG.random((2, 9, 13, 14)).astype("f4"), (2, 1, 0.5))
    levels_of(image, "mean")
    finest, coarser = open_volume(image), open_volume(image, level=1)
    assert finest.voxel_size == (2.0, 1.0, 0.5)
    assert finest.shape == (9, 13, 14)
    assert coarser.voxel_size == (2.0, 1.0, 1.0)  # the smallest grow first
    assert coarser.shape == (9, 13, 7)
    assert open_volume(image, level=2).voxel_size == (2.0, 2.0, 2.0)
    assert open_volume(image, level=2).unit == "um"
    ome = zarr.open_group(str(image), mode="r").attrs["ome"]
    for each in ome["multiscales"][0]["datasets"][1:]:
        scale, shift = each["coordinateTransformations"]
        pairs = zip(scale["scale"], (1.0, 2.0, 1.0, 0.5), strict=True)
        # Centre of the first voxel: between those of the first and the last it covers.
        expected = [(size - first) / 2 for size, first in pairs]
        assert shift["translation"] == pytest.approx(expected)


@pytest.mark.usefixtures("small")
def test_the_metadata_are_those_of_ome_zarr(tmp_path):
    models = pytest.importorskip("ome_zarr_models.v05")
    image = write_image(tmp_path, RNG.random((2, 9, 13, 14)).astype("f4"), (2, 1, 0.5))
    levels_of(image, "mean")
    found = models.Image.from_zarr(zarr.open_group(str(image), mode="r"))
    assert len(found.ome_attributes.multiscales[0].datasets) == len(open_levels(image))


def test_a_small_image_needs_no_levels(tmp_path):
    image = write_image(tmp_path, RNG.random((9, 13, 14)).astype("f4"))
    events, levels = levels_of(image, "mean")
    assert (events, len(levels)) == ([], 1)
    assert pyramid.factors_of((64, 256, 256), (1, 1, 1)) == [(1, 1, 1)]
    assert pyramid.factors_of((64, 600, 600), (1, 1, 1))[1:] == [(1, 2, 2), (1, 4, 4)]


@pytest.mark.usefixtures("small")
def test_what_is_there_is_not_written_again(tmp_path):
    image = write_image(tmp_path, RNG.random((9, 13, 14)).astype("f4"))
    events, levels = levels_of(image, "mean")
    assert [e for e in events if isinstance(e, Progress)][-1].done > 1
    again, same = levels_of(image, "mean")
    assert again == []
    for one, other in zip(levels, same, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("small")
def test_a_level_that_is_half_done_is_not_listed_and_made_again(tmp_path):
    image = write_image(tmp_path, RNG.random((9, 13, 14)).astype("f4"))
    _, whole = levels_of(image, "mean")
    drop_levels(image)
    with open_runner("serial") as run:
        steps = write_levels(image, "mean", run)
        for event in steps:
            if isinstance(event, Progress) and event.what.startswith("level 2"):
                assert event.done < event.total
                break
        steps.close()
    assert (image / "2").exists()
    assert len(open_levels(image)) == 2
    events, levels = levels_of(image, "mean")
    assert not any(e.what.startswith("level 1") for e in events if hasattr(e, "what"))
    for one, other in zip(whole, levels, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("small")
def test_levels_are_dropped_and_the_finest_stays(tmp_path):
    values = RNG.random((9, 13, 14)).astype("f4")
    image = write_image(tmp_path, values)
    levels_of(image, "mean")
    drop_levels(image)
    assert sorted(each.name for each in image.iterdir()) == ["0", "zarr.json"]
    (only,) = open_levels(image)
    np.testing.assert_array_equal(np.asarray(only), values)
    back = open_volume(image).read(full_region((9, 13, 14)))
    np.testing.assert_array_equal(back[0], values)
