"""Images of many formats become layers that are read when they are shown."""

import copy

import numpy as np
import pytest
import tifffile
import zarr
from napari.components import ViewerModel

from napari_sashiko.gui.layer_volume import source_path, volume_of
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.reader import get_reader
from napari_sashiko.runners import open_runner
from napari_sashiko.volumes import create_ome_image, open_volume, write_levels

pytestmark = pytest.mark.gui
SHAPE = (6, 20, 30)
GREY = np.random.default_rng(0).integers(0, 999, SHAPE, np.uint16)
SIZE = (3.0, 0.5, 0.5)


def write_npy(folder):
    np.save(folder / "a.npy", GREY)
    return folder / "a.npy", "pixel"


def write_mrc(folder):
    mrcfile = pytest.importorskip("mrcfile")
    with mrcfile.new(folder / "a.mrc") as file:
        file.set_data(GREY.astype(np.int16))
        file.voxel_size = (5.0, 5.0, 30.0)
    return folder / "a.mrc", "angstrom"


def write_hdf5(folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "a.h5", "w") as file:
        file["entry/data"] = GREY
    return folder / "a.h5", "pixel"


def write_nifti(folder):
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(GREY.transpose(), np.diag((0.5, 0.5, 3.0, 1.0)))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, folder / "a.nii.gz")
    return folder / "a.nii.gz", "millimeter"


def write_slices(folder):
    (folder / "slices").mkdir()
    for number, plane in enumerate(GREY):
        tifffile.imwrite(folder / "slices" / f"s{number}.tif", plane)
    return folder / "slices", "pixel"


def write_zarr(folder):
    group = zarr.create_group(str(folder / "a.zarr"))
    create_ome_image(
        group, "scan", shape=SHAPE, chunks=SHAPE, dtype="uint16", axes="zyx",
        voxel_size=SIZE, unit="micrometer",
    )[...] = GREY  # fmt: skip
    return folder / "a.zarr" / "scan", "micrometer"


WRITERS = (write_npy, write_mrc, write_hdf5, write_nifti, write_slices, write_zarr)


def opened(path):
    """The layers that napari makes of what the reader hands over."""
    viewer = ViewerModel()
    read = get_reader(str(path))
    assert read is not None
    return [viewer._add_layer_from_data(*data)[0] for data in read(str(path))]


@pytest.mark.parametrize("write", WRITERS)
def test_an_image_of_any_format_is_a_layer_with_its_voxel_size(write, tmp_path):
    path, unit = write(tmp_path)
    (layer,) = opened(path)
    assert isinstance(layer.data, LazyArray)
    np.testing.assert_array_equal(np.asarray(layer.data), GREY)
    known = open_volume(path)
    assert tuple(layer.scale) == pytest.approx(known.voxel_size)
    assert {str(each) for each in layer.units} == {unit}
    assert layer.axis_labels == ("z", "y", "x")


@pytest.mark.parametrize("write", WRITERS)
def test_the_dock_works_on_the_file_itself(write, tmp_path):
    path, _ = write(tmp_path)
    (layer,) = opened(path)
    volume, known = volume_of(layer), open_volume(path)
    assert volume.digest() == known.digest()
    # Workers on other machines open it again.
    assert volume.source == known.source
    layer.scale = 2 * np.asarray(layer.scale)  # which no file knows
    volume = volume_of(layer)
    assert volume.source is None
    assert volume.voxel_size == pytest.approx(2 * np.array(known.voxel_size))


def test_nothing_but_what_is_shown_is_read(tmp_path, monkeypatch):
    path, _ = write_slices(tmp_path)
    (layer,) = opened(path)
    seen = []
    read = tifffile.memmap
    monkeypatch.setattr(
        tifffile, "memmap", lambda f, **k: seen.append(f) or read(f, **k)
    )
    volume_of(layer).read((slice(5, 6), slice(0, 2), slice(0, 2)))
    assert [file.name for file in seen] == ["s5.tif"]


def test_channels_are_an_axis_and_the_dock_sees_channels(tmp_path):
    group = zarr.create_group(str(tmp_path / "c.zarr"))
    values = np.random.default_rng(1).random((4, *SHAPE)).astype(np.float32)
    create_ome_image(
        group, "scan", shape=values.shape, chunks=values.shape, dtype="float32",
        axes="czyx", voxel_size=SIZE, unit="micrometer",
    )[...] = values  # fmt: skip
    (layer,) = opened(tmp_path / "c.zarr" / "scan")
    assert layer.axis_labels == ("c", "z", "y", "x")
    assert tuple(layer.scale) == (1.0, *SIZE)
    np.testing.assert_array_equal(np.asarray(layer.data[2, 3]), values[2, 3])
    assert volume_of(layer).channels == 4


def test_all_levels_of_a_pyramid_are_shown(tmp_path, monkeypatch):
    from napari_sashiko.volumes import pyramid  # noqa: PLC0415

    monkeypatch.setattr(pyramid, "MOST", 8)
    monkeypatch.setattr(pyramid, "LEAST", 4)
    path, _ = write_zarr(tmp_path)
    with open_runner() as run:
        list(write_levels(path, "mean", run))
    (layer,) = opened(path)
    assert layer.multiscale
    assert layer.data[0].shape == SHAPE
    assert len(layer.data) == open_volume(path).levels > 1
    coarse = open_volume(path, level=1)
    whole = tuple(slice(0, n) for n in coarse.shape)
    np.testing.assert_array_equal(np.asarray(layer.data[1]), coarse.read(whole)[0])


def test_a_layer_of_a_file_can_be_duplicated(tmp_path):
    path, _ = write_hdf5(tmp_path)
    (layer,) = opened(path)
    data, *_ = layer.as_layer_data_tuple()
    np.testing.assert_array_equal(np.asarray(copy.deepcopy(data)), GREY)


def test_a_damaged_file_is_told_and_no_layer(tmp_path, monkeypatch):
    from napari_sashiko.gui import volume_reader  # noqa: PLC0415

    said = []
    monkeypatch.setattr(volume_reader, "notify", lambda text, _level: said.append(text))
    (tmp_path / "a.npy").write_bytes(b"nothing")
    assert get_reader(str(tmp_path / "a.npy"))(str(tmp_path / "a.npy")) == [(None,)]
    assert "not a NumPy file" in said[0]


def test_a_damaged_middle_slice_keeps_no_other_from_being_shown(tmp_path):
    path = tmp_path / "a.zarr"
    array = zarr.create_array(
        path, shape=GREY.shape, chunks=(1, *GREY.shape[1:]), dtype=GREY.dtype
    )
    array[:] = GREY
    middle = path / "c" / str(len(GREY) // 2) / "0" / "0"
    middle.write_bytes(b"nothing")
    (layer,) = opened(path)
    np.testing.assert_array_equal(np.asarray(layer.data[0]), GREY[0])
    assert layer.contrast_limits[1] > layer.contrast_limits[0]


def test_files_and_folders_that_are_no_images_are_left_to_others(tmp_path):
    for name in ("a.tif", "a.png", "a.txt", "a.zip"):
        (tmp_path / name).write_bytes(b"")
        assert get_reader(str(tmp_path / name)) is None
    assert get_reader(str(tmp_path / "not there.npy")) is None
    (tmp_path / "empty").mkdir()
    assert get_reader(str(tmp_path / "empty")) is None


def test_napari_opens_it_by_the_manifest(make_napari_viewer, tmp_path):
    path, _ = write_npy(tmp_path)
    viewer = make_napari_viewer()
    viewer.open(str(path), plugin="napari-sashiko")
    (layer,) = viewer.layers
    assert source_path(layer) == path
