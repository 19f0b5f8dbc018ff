"""Frames: any array with a time axis is read as slices, and cut frame by frame."""

import nibabel
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.volumes import (
    Slices,
    Stacking,
    Time,
    Volume,
    as_volume,
    create_ome_image,
    frames_apart,
    grow,
    open_volume,
    spans,
    stacking_of,
)

SHAPES = {"t": 3, "c": 2, "z": 4, "y": 5, "x": 6}


def plain(axes):
    """An array of these axes, and the same as (C, Z, Y, X) with frames along Z."""
    sizes = [SHAPES[axis] for axis in axes]
    array = np.arange(np.prod(sizes)).reshape(sizes)
    full = array
    left = list(axes)
    for axis in "tczyx":
        if axis not in left:
            full, left = full[None], [axis, *left]
    full = full.transpose([left.index(axis) for axis in "ctzyx"])
    channels, times, depth = full.shape[:3]
    return array, full.reshape(channels, times * depth, *full.shape[3:])


@pytest.mark.parametrize("axes", ["tyx", "tzyx", "tczyx", "xyzt", "ctzyx", "tcyx"])
def test_frames_follow_each_other_along_z(axes):
    array, wanted = plain(axes)
    volume = as_volume(array, axes=axes)
    assert volume.shape == wanted.shape[1:]
    assert volume.frame == (4 if "z" in axes else 1)
    for low, high in ((0, volume.shape[0]), (1, 3), (2, volume.shape[0])):
        region = (slice(low, high), slice(1, 4), slice(0, 6))
        np.testing.assert_array_equal(volume.read(region), wanted[:, low:high, 1:4])


@pytest.mark.parametrize("axes", ["tyx", "tzyx", "zyx", "yx"])
def test_what_is_written_by_slices_is_read_again(axes):
    array, wanted = plain(axes)
    target = Slices(np.zeros_like(array), axes)
    whole = tuple(slice(0, n) for n in target.shape)
    target[whole] = wanted[0]
    np.testing.assert_array_equal(target.array, array)
    np.testing.assert_array_equal(target[whole], wanted[0])


def test_a_single_time_point_is_a_plain_volume():
    array, _ = plain("zyx")
    volume = as_volume(array[None], axes="tzyx")
    assert (volume.frame, volume.time) == (None, None)
    assert volume.digest() == as_volume(array).digest()


def test_other_frames_of_the_same_slices_are_another_image():
    array = np.zeros((6, 4, 5, 6), np.uint8)
    one = as_volume(array, axes="tzyx")
    other = as_volume(array.reshape(4, 6, 5, 6), axes="tzyx")
    assert one.shape == other.shape
    assert one.digest() != other.digest() != as_volume(array[0]).digest()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 9))
def test_spans_cover_all_slices_and_no_two_frames(frame, count, step):
    length = frame * count
    cut = spans(length, step, frame)
    assert [z for low, high in cut for z in range(low, high)] == list(range(length))
    assert all(low // frame == (high - 1) // frame for low, high in cut)
    assert all(high - low <= step for low, high in cut)


def test_a_halo_ends_where_the_frame_does():
    region = (slice(4, 5), slice(2, 3), slice(0, 6))
    z, y, x = grow(region, (3, 1, 1), (12, 5, 6), 4)
    assert (z, y, x) == (slice(4, 8), slice(1, 4), slice(0, 6))


def test_voxels_of_two_frames_are_never_near():
    coords = np.array([[3, 0, 0], [4, 0, 0], [5, 0, 0], [8, 0, 0]])
    moved = frames_apart(coords, 4, 2.5)[:, 0]
    assert np.diff(moved).tolist() == [4, 1, 6]
    assert frames_apart(coords, None, 2.5) is coords


@pytest.mark.parametrize("flat", [False, True])
def test_what_a_result_says_about_its_frames_is_read_again(flat):
    stack = Stacking((6, 5, 6), 1 if flat else 3, flat, Time(2.5, "min"))
    record = {"shape": [6, 5, 6], "flat": flat, **stack.record()}
    assert stacking_of(record) == stack
    assert Stacking((6, 5, 6)).record() == {}


@pytest.mark.parametrize(
    ("stack", "axes", "on_disk"),
    [
        (Stacking((12, 5, 6), 4, time=Time()), "tzyx", (3, 4, 5, 6)),
        (Stacking((12, 5, 6), 1, flat=True, time=Time()), "tyx", (12, 5, 6)),
        (Stacking((12, 5, 6), 1), "zyx", (12, 5, 6)),
        (Stacking((12, 5, 6)), "zyx", (12, 5, 6)),
        (Stacking((1, 5, 6), flat=True), "yx", (5, 6)),
    ],
)
def test_places_on_disk_are_those_of_the_slices(stack, axes, on_disk):
    assert (stack.axes, stack.on_disk) == (axes, on_disk)
    array = np.arange(np.prod(on_disk)).reshape(on_disk)
    slices = Slices(array, axes)
    assert slices.shape == stack.shape
    z = stack.shape[0] - 1
    region = (slice(z, z + 1), slice(1, 4), slice(2, 6))
    wanted = slices[region]
    np.testing.assert_array_equal(
        array[stack.box(region)].reshape(wanted.shape), wanted
    )
    assert stack.region(stack.box(region)) == region
    point = stack.point((z, 3, 5))
    assert array[point] == slices[:, 3:4, 5:6][z, 0, 0]
    assert stack.coords(point) == (z, 3, 5)


def write_zarr(path, array):
    group = zarr.create_group(str(path))
    made = create_ome_image(
        group,
        "image",
        shape=array.shape,
        chunks=(1, 2, 5, 6),
        dtype=str(array.dtype),
        axes="tzyx",
        voxel_size=(2.0, 0.5, 0.5),
        unit="um",
        time=Time(1.5, "min"),
    )
    made[...] = array
    return path / "image"


def write_ome(path, array):
    facts = {"axes": "TZYX", "TimeIncrement": 1.5, "TimeIncrementUnit": "min"}
    for axis, size in zip("ZYX", (2.0, 0.5, 0.5), strict=True):
        facts |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "µm"}
    tifffile.imwrite(path, array, ome=True, metadata=facts)
    return path


def write_nifti(path, array):
    image = nibabel.Nifti1Image(array.transpose(3, 2, 1, 0), np.eye(4))
    image.header.set_zooms((0.5, 0.5, 2.0, 90.0))
    image.header.set_xyzt_units("micron", "sec")
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize(
    ("name", "write", "time"),
    [
        ("a.zarr", write_zarr, Time(1.5, "min")),
        ("a.ome.tif", write_ome, Time(1.5, "min")),
        ("a.nii", write_nifti, Time(90.0, "s")),
    ],
)
def test_a_file_that_names_its_time_axis_keeps_step_and_unit(
    tmp_path, name, write, time
):
    array, wanted = plain("tzyx")
    volume = open_volume(write(tmp_path / name, array.astype(np.uint8)))
    assert volume.time == time
    assert volume.frame == 4
    assert volume.voxel_size == (2.0, 0.5, 0.5)
    whole = (slice(0, 12), slice(0, 5), slice(0, 6))
    np.testing.assert_array_equal(volume.read(whole), wanted % 256)


def test_what_names_no_axes_is_a_time_series_only_when_that_is_said(tmp_path):
    array, wanted = plain("tzyx")
    np.save(tmp_path / "a.npy", array)
    for said in ({"axes": "tzyx"}, {"unnamed": "tzyx"}):
        volume: Volume = open_volume(tmp_path / "a.npy", **said)
        assert (volume.shape, volume.frame) == (wanted.shape[1:], 4)
    np.save(tmp_path / "b.npy", array[0])
    assert open_volume(tmp_path / "b.npy", unnamed="tzyx").frame is None
