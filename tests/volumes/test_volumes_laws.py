"""Regions, digests and normalisation keep their laws for any volume."""

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import (
    as_volume,
    full_region,
    grow,
    intersect,
    measure_normalisation,
    open_volume,
    region_shape,
    shift,
)

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, max_side=12)


@st.composite
def boxes(draw, shape):
    sides = []
    for size in shape:
        start = draw(st.integers(0, size - 1))
        sides.append(slice(start, draw(st.integers(start + 1, size))))
    return tuple(sides)


@given(data=st.data(), shape=SHAPES)
def test_regions_meet_where_their_voxels_do(data, shape):
    first, second = data.draw(boxes(shape)), data.draw(boxes(shape))
    marks = np.zeros(shape, int)
    marks[first] += 1
    marks[second] += 1
    both = intersect(first, second)
    assert both == intersect(second, first)
    if both is None:
        assert marks.max() == 1
    else:
        assert np.prod(region_shape(both)) == np.count_nonzero(marks == 2)
        assert (marks[both] == 2).all()


@given(data=st.data(), shape=SHAPES, halo=st.tuples(*[st.integers(0, 5)] * 3))
def test_a_grown_region_holds_all_neighbours_in_the_volume(data, shape, halo):
    region = data.draw(boxes(shape))
    grown = grow(region, halo, shape)
    assert intersect(grown, full_region(shape)) == grown
    for inner, outer, wider, size in zip(region, grown, halo, shape, strict=True):
        assert outer.start == max(inner.start - wider, 0)
        assert outer.stop == min(inner.stop + wider, size)
    assert shift(shift(region, halo), [-h for h in halo]) == region


@given(
    data=st.data(),
    array=hnp.arrays(
        hnp.integer_dtypes() | hnp.unsigned_integer_dtypes() | hnp.boolean_dtypes(),
        SHAPES,
    ),
)
@settings(max_examples=60)
def test_a_region_of_a_volume_is_that_of_its_array(data, array):
    region = data.draw(boxes(array.shape))
    moved = data.draw(st.permutations("zyx"))
    volume = as_volume(
        array.transpose(["zyx".index(a) for a in moved]), axes="".join(moved)
    )
    block = volume.read(region)
    np.testing.assert_array_equal(block[0], array[region])
    block[...] = 1  # what was read belongs to the reader
    np.testing.assert_array_equal(volume.read(region)[0], array[region])


@given(
    array=hnp.arrays(
        st.sampled_from(["u1", "i2", "f4", "f8"]),
        hnp.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=10),
    )
)
@settings(max_examples=80, deadline=None)
def test_normalised_voxels_are_finite_whatever_is_in_the_file(array):
    volume = as_volume(array)
    assume(np.isfinite(array.astype(np.float64)).any())
    try:
        found = measure_normalisation(volume)
    except VolumeError as error:
        assert "finite" in str(error)  # noqa: PT017 - hypothesis asks for one or other
        return
    out = found.apply(volume.read(full_region(volume.shape)))
    assert out.dtype == np.float32
    assert np.isfinite(out).all()


class Lonely:
    """A large empty volume with a small object."""

    shape, dtype, ndim = (600, 600, 600), np.dtype(np.uint8), 3

    def __getitem__(self, key):
        z, y, x = np.ogrid[key]
        inside = (z - 300) ** 2 + (y - 300) ** 2 + (x - 300) ** 2 < 100**2
        return np.where(inside, 90 + (x + y + z) % 60, 0).astype(np.uint8)


@pytest.mark.parametrize("seed", range(5))
def test_a_small_object_in_an_empty_volume_keeps_its_contrast(seed):
    found = measure_normalisation(as_volume(Lonely()), seed)
    assert not found.is_constant
    values = found.apply(np.array([0, 100, 140], np.uint8).reshape(1, 1, 1, 3)).ravel()
    assert (np.diff(values) > 0).all()


def grey():
    return np.random.default_rng(0).integers(0, 200, (4, 9, 11)).astype(np.uint8)


def test_an_array_in_a_file_may_follow_its_name(tmp_path):
    with pytest.importorskip("h5py").File(tmp_path / "scan.h5", "w") as file:
        file["entry/data"], file["entry/other"] = grey(), grey() + 1
    volume = open_volume(tmp_path / "scan.h5" / "entry" / "data")
    again = open_volume(**volume.source)
    for each in (volume, again):
        np.testing.assert_array_equal(each.read(full_region(each.shape))[0], grey())
    with pytest.raises(VolumeError, match="no dataset 'entry/none'"):
        open_volume(tmp_path / "scan.h5" / "entry" / "none")


def test_axes_of_nexus_give_the_voxel_size(tmp_path):
    with pytest.importorskip("h5py").File(tmp_path / "a.nxs", "w") as file:
        data = file.create_group("entry/data")
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"
        data["image"] = grey()
        data.attrs["signal"], data.attrs["axes"] = "image", ["z", "y", "x"]
        for name, step in (("z", 2.0), ("y", 0.5), ("x", 0.25)):
            data[name] = 7 - step * np.arange(grey().shape["zyx".index(name)])
            data[name].attrs["units"] = "micrometre"
    volume = open_volume(tmp_path / "a.nxs")
    assert volume.voxel_size == pytest.approx((2.0, 0.5, 0.25))
    assert volume.unit == "um"


def test_names_of_axes_in_zarr_are_followed(tmp_path):
    zarr.create_array(
        str(tmp_path / "a.zarr"),
        data=grey().transpose(2, 1, 0),
        dimension_names=("x", "y", "z"),
    )
    volume = open_volume(tmp_path / "a.zarr")
    np.testing.assert_array_equal(volume.read(full_region(volume.shape))[0], grey())


def test_hidden_files_are_no_slices_and_both_spellings_of_tiff_are_one(tmp_path):
    for number, plane in enumerate(grey()):
        ending = ".tif" if number % 2 else ".TIFF"
        tifffile.imwrite(tmp_path / f"s{number + 8}{ending}", plane)
    (tmp_path / "._s8.tif").write_bytes(b"companion")
    volume = open_volume(tmp_path)
    np.testing.assert_array_equal(volume.read(full_region(volume.shape))[0], grey())
