"""Volumes: every kind of array and file reads the same, by regions, or is refused."""

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr

from napari_sashiko.errors import OutputError, VolumeError
from napari_sashiko.volumes import (
    as_volume,
    check_writable,
    create_ome_image,
    first_of,
    full_region,
    grow,
    intersect,
    measure_normalisation,
    open_volume,
    region_shape,
    shift,
)

SHAPE = (7, 9, 11)
DTYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "f2", "f4", "f8", ">u2", ">f4"]


def grey(dtype="u1", shape=SHAPE):
    return np.random.default_rng(0).integers(0, 100, shape).astype(dtype)


def region(*bounds):
    return tuple(slice(*b) for b in bounds)


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_type_reads_in_native_order(dtype):
    array = grey(dtype)
    block = as_volume(array).read(region((1, 4), (2, 9), (0, 11)))
    assert block.dtype.isnative
    np.testing.assert_array_equal(block[0], array[1:4, 2:9])


def read_only():
    array = grey()
    array.setflags(write=False)
    return array


def zarr_array():
    return zarr.array(grey(), chunks=(3, 4, 5))


@pytest.mark.parametrize(
    "make",
    [
        read_only,
        lambda: np.asfortranarray(grey()),
        lambda: np.repeat(grey(), 2, axis=2)[:, :, ::2],
        lambda: da.from_array(grey(), chunks=4),
        zarr_array,
        lambda: [grey(), grey()[::2, ::2, ::2]],
    ],
    ids=["read-only", "fortran", "strided", "dask", "zarr", "multiscale"],
)
def test_any_array_reads_the_same(make):
    volume = as_volume(make())
    block = volume.read(region((0, 7), (3, 5), (1, 10)))
    np.testing.assert_array_equal(block[0], grey()[:, 3:5, 1:10])
    assert block.flags.c_contiguous
    assert block.flags.writeable


def test_bool_becomes_numbers():
    assert as_volume(grey() > 50).read(full_region(SHAPE)).dtype == np.uint8


def test_a_2d_image_is_one_slice():
    volume = as_volume(grey(shape=(9, 11)))
    assert (volume.shape, volume.flat) == ((1, 9, 11), True)


@pytest.mark.parametrize("axes", ["czyx", "zyxc", "zcyx"])
def test_channels_come_first_wherever_they_are(axes):
    array = grey(shape=(3, *SHAPE))
    moved = array.transpose(["czyx".index(a) for a in axes])
    volume = as_volume(moved, axes=axes)
    assert (volume.shape, volume.channels) == (SHAPE, 3)
    np.testing.assert_array_equal(volume.read(full_region(SHAPE)), array)


@pytest.mark.parametrize(
    ("shape", "axes", "said"),
    [
        ((2, 7, 9, 11), None, r"4 axes, shape \(2, 7, 9, 11\).*tzyx"),
        ((7, 9, 11), "zy", "do not fit"),
        ((7, 9, 11), "zyy", "do not fit"),
        ((7, 9, 11), "czx", "lack y"),
        ((0, 9, 11), None, "empty"),
        ((5,), None, "1 axis"),
    ],
)
def test_axes_that_are_not_clear_are_refused_in_one_sentence(shape, axes, said):
    with pytest.raises(VolumeError, match=said):
        as_volume(np.zeros(shape, np.uint8), axes=axes)


def test_complex_numbers_are_refused():
    with pytest.raises(VolumeError, match="complex"):
        as_volume(grey().astype(complex))


def test_only_the_region_is_read():
    asked = []

    class Watched:
        shape, dtype, ndim = (10_000, 10_000, 10_000), np.dtype("u1"), 3

        def __getitem__(self, key):
            asked.append(key)
            return np.zeros([k.stop - k.start for k in key], np.uint8)

    volume = as_volume(Watched())
    volume.read(region((5, 6), (0, 64), (10, 74)))
    volume.digest()
    measure_normalisation(volume)
    assert sum(np.prod([k.stop - k.start for k in key]) for key in asked) < 10**7


def test_digest_knows_data_and_size():
    base = as_volume(grey()).digest()
    other = grey()
    other[0, 0, 0] += 1
    assert as_volume(grey()).digest() == base
    assert as_volume(other).digest() != base
    assert as_volume(grey(), voxel_size=(2, 1, 1)).digest() != base


@pytest.mark.parametrize("dtype", ["u1", "i4", "f8"])
def test_normalised_values_lie_around_zero(dtype):
    volume = as_volume(grey(dtype, (20, 40, 40)))
    out = measure_normalisation(volume).apply(volume.read(full_region(volume.shape)))
    assert out.dtype == np.float32
    assert abs(out.mean()) < 0.05
    assert abs(out.std() - 1) < 0.05


def test_not_finite_voxels_are_ignored_and_become_zero():
    array = grey("f4", (20, 40, 40))
    clean = measure_normalisation(as_volume(array))
    array[0, 0, :3] = np.nan, np.inf, -np.inf
    volume = as_volume(array)
    found = measure_normalisation(volume)
    out = found.apply(volume.read(full_region(volume.shape)))
    assert np.isfinite(out).all()
    assert (out[0, 0, 0, :3] == 0).all()
    assert found.center == pytest.approx(clean.center, rel=1e-2)


def test_a_constant_image_is_known_and_stays_finite():
    volume = as_volume(np.full(SHAPE, 7, np.uint8))
    found = measure_normalisation(volume)
    assert found.is_constant
    assert (found.apply(volume.read(full_region(SHAPE))) == 0).all()


def test_an_image_without_a_finite_voxel_is_refused():
    with pytest.raises(VolumeError, match="no finite voxel"):
        measure_normalisation(as_volume(np.full(SHAPE, np.nan)))


def test_another_number_of_channels_is_refused():
    found = measure_normalisation(as_volume(grey()))
    with pytest.raises(VolumeError, match="2 channels"):
        found.apply(np.zeros((2, 3, 3, 3), np.uint8))


def write_npy(path):
    np.save(path, grey())


def write_npz(path):
    np.savez(path, image=grey(), other=grey())


def write_tiff(path):
    tifffile.imwrite(path, grey())


def write_packed_tiff(path):
    tifffile.imwrite(path, grey(), compression="zlib")


def write_zarr(path):
    zarr.create_array(str(path), data=grey(), chunks=(4, 4, 4))


def write_ome(path):
    group = zarr.create_group(str(path))
    create_ome_image(
        group, "image", shape=SHAPE, chunks=(4, 4, 4), dtype="uint8", axes="zyx",
        voxel_size=(2.0, 0.5, 0.5), unit="um",
    )[...] = grey()  # fmt: skip


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.npy", write_npy),
        ("a.npz", write_npz),
        ("a.tif", write_tiff),
        ("a.TIFF", write_packed_tiff),
        ("a.zarr", write_zarr),
    ],
)
def test_files_read_as_they_were_written_and_open_again(tmp_path, name, write):
    write(tmp_path / name)
    volume = open_volume(tmp_path / name)
    again = open_volume(**volume.source)
    for each in (volume, again):
        np.testing.assert_array_equal(each.read(full_region(SHAPE))[0], grey())


def test_ome_zarr_keeps_voxel_size_and_unit(tmp_path):
    write_ome(tmp_path / "a.zarr")
    volume = open_volume(tmp_path / "a.zarr", dataset="image")
    assert (volume.voxel_size, volume.unit) == ((2.0, 0.5, 0.5), "um")
    np.testing.assert_array_equal(volume.read(full_region(SHAPE))[0], grey())


def test_imagej_tiff_keeps_voxel_size(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", grey(), imagej=True, resolution=(1 / 0.5, 1 / 0.5),
        metadata={"axes": "ZYX", "spacing": 2.0, "unit": "um"},
    )  # fmt: skip
    volume = open_volume(tmp_path / "a.tif")
    assert volume.voxel_size == pytest.approx((2.0, 0.5, 0.5))
    assert volume.unit == "um"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xyz", b"?", "format that cannot be read"),
        ("a.npy", b"nonsense", "not a NumPy file"),
        ("a.tif", b"nonsense", "cannot be read"),
        ("a.png", b"nonsense", "not a picture"),
        ("a.npz", b"PK\5\6" + bytes(18), "holds no array"),
    ],
)
def test_files_that_are_no_images_are_refused(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VolumeError, match=said):
        open_volume(tmp_path / name)


def test_a_pickle_is_never_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(VolumeError):
        open_volume(tmp_path / "a.npy")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(VolumeError, match=r"nothere\.npy"):
        open_volume(tmp_path / "nothere.npy")


def test_a_full_disk_is_told_before(tmp_path):
    check_writable(tmp_path / "new" / "a.zarr", 10)
    with pytest.raises(OutputError, match="the disk has"):
        check_writable(tmp_path / "a.zarr", 10**18)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is a file"):
        check_writable(tmp_path / "file" / "a.zarr")


def test_regions_grow_to_the_faces_shift_and_meet():
    inner = region((2, 4), (0, 3), (5, 6))
    assert grow(inner, (3, 1, 2), (6, 9, 7)) == region((0, 6), (0, 4), (3, 7))
    assert shift(inner, (1, 2, 3)) == region((3, 5), (2, 5), (8, 9))
    assert region_shape(inner) == (2, 3, 1)
    assert intersect(inner, region((3, 9), (1, 2), (0, 9))) == region(
        (3, 4), (1, 2), (5, 6)
    )
    assert intersect(inner, region((4, 9), (0, 9), (0, 9))) is None


@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr", "h5py"])
def test_leading_axes_go_without_reading(kind, tmp_path, monkeypatch):
    whole = np.arange(1 * 1 * 4 * 5 * 6).reshape(1, 1, 4, 5, 6)
    array, read = _array_of(kind, whole, tmp_path), []
    if kind in ("zarr", "h5py"):
        keep = type(array).__getitem__

        def watched(self, key):
            found = keep(self, key)
            read.append(found.size)
            return found

        monkeypatch.setattr(type(array), "__getitem__", watched)
    volume = as_volume(first_of(array, 2), axes="zyx")
    assert sum(read) == 0
    found = volume.read((slice(1, 2), slice(2, 4), slice(0, 3)))
    assert np.array_equal(found, whole[0, :, 1:2, 2:4, 0:3])
    assert sum(read) < whole.size


def _array_of(kind, whole, folder):
    if kind == "dask":
        return da.from_array(whole)
    if kind == "zarr":
        array = zarr.create_array(
            {}, shape=whole.shape, chunks=(1, 1, 1, 5, 6), dtype=int
        )
        array[:] = whole
        return array
    if kind == "h5py":
        h5py = pytest.importorskip("h5py")
        file = h5py.File(folder / "a.h5", "w")
        return file.create_dataset("a", data=whole, chunks=(1, 1, 1, 5, 6))
    return whole
