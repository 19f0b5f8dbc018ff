"""Volumes: every format gives the same voxels, axes and voxel sizes, or a sentence."""

import importlib
import shutil

import numpy as np
import pytest
import tifffile
import zarr
from imageio.v3 import imwrite

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import (
    as_volume,
    create_ome_image,
    full_region,
    measure_normalisation,
    open_volume,
)

SHAPE = (7, 18, 22)
GREY = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)
OPTIONAL = {"a.mrc": "mrcfile", "a.h5": "h5py", "a.nii": "nibabel"}


def write_mrc(path):
    mrcfile = pytest.importorskip("mrcfile")
    with mrcfile.new(path) as file:
        file.set_data(GREY.astype(np.int16))
        file.voxel_size = (5.0, 6.0, 7.0)  # x, y, z


def write_hdf5(path):
    with pytest.importorskip("h5py").File(path, "w") as file:
        file["volume/grey"] = GREY
        file["volume/grey"].attrs["element_size_um"] = (2.0, 0.5, 0.5)
        file["times"] = np.arange(5)


def write_nexus(path):
    with pytest.importorskip("h5py").File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["default"] = "data"
        entry["data/counts"] = GREY
        entry["data/errors"] = GREY // 2
        entry["data"].attrs["signal"] = "counts"


def write_nifti(path):
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(GREY.T.astype(np.int16), np.diag([0.5, 0.5, 2.0, 1]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


def write_ome_tiff(path):
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    units = {f"{key}Unit": "µm" for key in sizes}
    tifffile.imwrite(
        path,
        GREY,
        ome=True,
        compression="zlib",
        metadata={"axes": "ZYX"} | sizes | units,
    )


def write_pyramid(path):
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(GREY, subifds=1, tile=(16, 16), metadata={"axes": "ZYX"} | sizes)
        file.write(GREY[:, ::2, ::2], subfiletype=1, tile=(16, 16))


def write_old_ome_zarr(path):
    group = zarr.create_group(str(path), zarr_format=2)
    group.create_array("0", data=GREY, chunks=(4, 8, 8))
    group.create_array("1", data=GREY[:, ::2, ::2], chunks=(4, 8, 8))
    scales = [[2.0, 0.5, 0.5], [2.0, 1.0, 1.0]]
    group.attrs["multiscales"] = [
        {
            "version": "0.4",
            "axes": [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"],
            "datasets": [
                {
                    "path": str(i),
                    "coordinateTransformations": [{"type": "scale", "scale": scale}],
                }
                for i, scale in enumerate(scales)
            ],
        }
    ]


def write_first_of_several(path):
    create_ome_image(
        zarr.create_group(str(path)), "0", shape=SHAPE, chunks=(4, 8, 8), dtype="u1",
        axes="zyx", voxel_size=(2.0, 0.5, 0.5), unit="micrometer",
    )[...] = GREY  # fmt: skip


def write_slices(path, suffix=".png"):
    path.mkdir()
    for number in range(len(GREY)):  # slice_7 to slice_13: not in order of the alphabet
        file = path / f"slice_{number + 7}{suffix}"
        if suffix == ".png":
            imwrite(file, GREY[number])
        else:
            tifffile.imwrite(file, GREY[number], compression="zlib")


FORMATS = [
    ("a.mrc", write_mrc, (7.0, 6.0, 5.0), "angstrom"),
    ("a.h5", write_hdf5, (2.0, 0.5, 0.5), "um"),
    ("a.nxs", write_nexus, (1.0, 1.0, 1.0), "pixel"),
    ("a.nii", write_nifti, (2.0, 0.5, 0.5), "mm"),
    ("a.nii.gz", write_nifti, (2.0, 0.5, 0.5), "mm"),
    ("a.ome.tif", write_ome_tiff, (2.0, 0.5, 0.5), "um"),
    ("pyramid.ome.tif", write_pyramid, (2.0, 0.5, 0.5), "um"),
    ("a.zarr", write_old_ome_zarr, (2.0, 0.5, 0.5), "um"),
    ("b.zarr", write_first_of_several, (2.0, 0.5, 0.5), "um"),
    ("png", write_slices, (1.0, 1.0, 1.0), "pixel"),
    ("tif", lambda path: write_slices(path, ".tif"), (1.0, 1.0, 1.0), "pixel"),
]


@pytest.mark.parametrize(
    ("name", "write", "size", "unit"), FORMATS, ids=[f[0] for f in FORMATS]
)
def test_a_format_keeps_voxels_size_and_unit(tmp_path, name, write, size, unit):
    write(tmp_path / name)
    for volume in (
        open_volume(tmp_path / name),
        open_volume(**open_volume(tmp_path / name).source),
    ):
        block = volume.read((slice(2, 6), slice(0, 18), slice(3, 22)))
        np.testing.assert_array_equal(block[0], GREY[2:6, :, 3:])
        assert volume.voxel_size == pytest.approx(size)
        assert volume.unit == unit


@pytest.mark.parametrize("write", [write_pyramid, write_old_ome_zarr])
def test_a_coarser_level_has_larger_voxels(tmp_path, write):
    path = tmp_path / ("a.tif" if write is write_pyramid else "a.zarr")
    write(path)
    volume = open_volume(path, level=1)
    np.testing.assert_array_equal(
        volume.read(full_region(volume.shape))[0], GREY[:, ::2, ::2]
    )
    assert volume.voxel_size == pytest.approx((2.0, 1.0, 1.0))
    with pytest.raises(VolumeError, match="no level 2"):
        open_volume(path, level=2)


@pytest.mark.parametrize("name", ["a.npy", "a.zarr", "slices"])
def test_a_level_of_what_has_none_is_refused(tmp_path, name):
    path = tmp_path / name
    if name == "a.npy":
        np.save(path, GREY)
    elif name == "a.zarr":
        zarr.create_array(str(path), data=GREY)
    else:
        write_slices(path)
    assert open_volume(path).shape == SHAPE
    with pytest.raises(VolumeError, match=f"{name} has no level 1"):
        open_volume(path, level=1)


@pytest.mark.parametrize("kind", [str, np.bytes_])
def test_axes_of_nexus_give_the_voxel_size(tmp_path, kind):
    with pytest.importorskip("h5py").File(tmp_path / "a.nxs", "w") as file:
        data = file.create_group("data")
        data["grey"] = GREY
        data.attrs["signal"] = kind("grey")
        names = [kind(f"axis_{axis}") for axis in "zyx"]
        data.attrs["axes"] = np.array(names, object if kind is str else None)
        for name, length, step in zip(names, SHAPE, (2.0, 0.5, 0.5), strict=True):
            data[name] = step * np.arange(length)
            data[name].attrs["units"] = kind("um")
        file.attrs["default"] = kind("data")
    volume = open_volume(tmp_path / "a.nxs")
    assert (volume.voxel_size, volume.unit) == ((2.0, 0.5, 0.5), "um")


def write_axes(path, image, steps, names=None):
    """Write NeXus with axes by name: (step, unit), None where there is none."""
    with pytest.importorskip("h5py").File(path, "w") as file:
        file.attrs["default"] = "data"
        data = file.create_group("data")
        data["grey"] = image
        data.attrs["signal"] = "grey"
        data.attrs["axes"] = names or ["." if s is None else f"a{n}" for n, s in steps]
        for (name, step), length in zip(steps, image.shape, strict=True):
            if step is not None:
                data[f"a{name}"] = step[0] * np.arange(length)
                data[f"a{name}"].attrs["units"] = step[1]


@pytest.mark.parametrize(
    ("steps", "size", "unit"),
    [
        ((None, None, None), (1.0, 1.0, 1.0), "pixel"),
        ((None, (0.5, "um"), (0.25, "um")), (0.5, 0.5, 0.25), "um"),
        (((2.0, "um"), None, (0.5, "um")), (1.0, 1.0, 1.0), "pixel"),
        (((1.5, "deg"), (0.5, "um"), (0.5, "um")), (1.0, 1.0, 1.0), "pixel"),
    ],
)
def test_axes_of_nexus_may_be_left_out(tmp_path, steps, size, unit):
    write_axes(tmp_path / "a.nxs", GREY, list(zip("zyx", steps, strict=True)))
    volume = open_volume(tmp_path / "a.nxs")
    assert (volume.shape, volume.voxel_size, volume.unit) == (SHAPE, size, unit)


def test_an_axis_of_nexus_that_is_a_group_or_one_word_tells_nothing(tmp_path):
    steps = list(zip("zyx", [None] * 3, strict=True))
    for number, names in enumerate((["/data", "grey", ".."], "a", [""] * 3)):
        path = tmp_path / f"{number}.nxs"
        write_axes(path, GREY, steps, names)
        assert open_volume(path).voxel_size == (1.0, 1.0, 1.0)


def test_axes_of_nexus_give_the_size_of_a_pixel_and_the_step_of_time(tmp_path):
    steps = {"t": (3.0, "s"), "z": (2.0, "um"), "y": (0.5, "um"), "x": (0.5, "um")}
    write_axes(tmp_path / "flat.nxs", GREY[0], list(steps.items())[2:])
    flat = open_volume(tmp_path / "flat.nxs")
    assert (flat.voxel_size[1:], flat.unit) == ((0.5, 0.5), "um")
    write_axes(tmp_path / "a.nxs", np.stack([GREY] * 2), list(steps.items()))
    for asked in ({"axes": "tzyx"}, {"unnamed": "tzyx"}):
        volume = open_volume(tmp_path / "a.nxs", **asked)
        assert (volume.voxel_size, volume.unit) == ((2.0, 0.5, 0.5), "um")
        assert (volume.time.step, volume.time.unit) == (3.0, "s")


@pytest.mark.parametrize("attribute", [(2.0, 0.5, 0.25), (9.0, 2.0, 0.5, 0.25)])
def test_element_sizes_of_hdf5_are_of_space(tmp_path, attribute):
    with pytest.importorskip("h5py").File(tmp_path / "a.h5", "w") as file:
        file["grey"] = np.stack([GREY] * 2)
        file["grey"].attrs["element_size_um"] = attribute
    volume = open_volume(tmp_path / "a.h5", axes="czyx")
    assert (volume.voxel_size, volume.unit) == ((2.0, 0.5, 0.25), "um")
    with pytest.raises(VolumeError, match="which are space"):
        open_volume(tmp_path / "a.h5")


def test_an_image_in_hdf5_keeps_the_size_of_its_pixels(tmp_path):
    with pytest.importorskip("h5py").File(tmp_path / "a.h5", "w") as file:
        file["grey"] = GREY[0]
        file["grey"].attrs["element_size_um"] = (0.5, 0.25)
    assert open_volume(tmp_path / "a.h5").voxel_size[1:] == (0.5, 0.25)


CENTIMETRE = "CENTIMETER"
RESOLUTIONS = [
    ((40_000, 20_000), CENTIMETRE, (0.5, 0.5, 0.25), "um"),
    ((1000, 1000), CENTIMETRE, (10.0, 10.0, 10.0), "um"),
    ((300, 300), "INCH", (1.0, 1.0, 1.0), "pixel"),
    ((50_000, 50_000), "INCH", (1.0, 1.0, 1.0), "pixel"),
    ((28.35, 28.35), CENTIMETRE, (1.0, 1.0, 1.0), "pixel"),  # 72 dpi
    ((118, 118), CENTIMETRE, (1.0, 1.0, 1.0), "pixel"),  # 300 dpi
    ((2, 2), "NONE", (1.0, 1.0, 1.0), "pixel"),
]


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize(("resolution", "kind", "size", "unit"), RESOLUTIONS)
def test_the_resolution_of_a_tiff_is_of_a_microscope_or_of_a_printer(
    tmp_path, resolution, kind, size, unit, folder
):
    said = {"resolution": resolution, "resolutionunit": kind, "metadata": None}
    path = tmp_path / "a.tif"
    if folder:
        path = tmp_path / "slices"
        path.mkdir()
        for number in range(3):
            tifffile.imwrite(path / f"{number}.tif", GREY[number], **said)
    else:
        tifffile.imwrite(path, GREY, photometric="minisblack", **said)
    volume = open_volume(path)
    assert volume.voxel_size == pytest.approx(size, rel=1e-3)
    assert volume.unit == unit


@pytest.mark.parametrize(
    ("unit", "size"), [("micron", (2.0, 0.5, 0.5)), ("inch", (1.0, 1.0, 1.0))]
)
def test_slices_of_imagej_keep_their_voxel_size(tmp_path, unit, size):
    for number in range(2):
        tifffile.imwrite(
            tmp_path / f"{number}.tif",
            GREY[number],
            imagej=True,
            resolution=(2, 2),
            metadata={"spacing": 2.0, "unit": unit},
        )
    assert open_volume(tmp_path).voxel_size == pytest.approx(size)


def test_colours_of_a_tiff_are_channels(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.moveaxis(GREY[:3], 0, -1), photometric="rgb"
    )
    volume = open_volume(tmp_path / "a.tif")
    assert (volume.shape, volume.channels, volume.flat) == ((1, 18, 22), 3, True)
    np.testing.assert_array_equal(
        volume.read(full_region(volume.shape))[:, 0], GREY[:3]
    )


def test_pictures_at_several_times_may_be_called_slices(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, imagej=True, metadata={"axes": "TYX"})
    assert (open_volume(path).shape, open_volume(path).frame) == (SHAPE, 1)
    slices = open_volume(path, axes="zyx")
    assert (slices.shape, slices.frame) == (SHAPE, None)


def test_a_scaled_nifti_gives_the_scaled_values(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(GREY.T * np.float32(0.5), np.eye(4))
    image.header.set_data_dtype(np.int16)
    nibabel.save(image, tmp_path / "a.nii")
    volume = open_volume(tmp_path / "a.nii")
    block = volume.read(full_region(SHAPE))[0]
    np.testing.assert_allclose(block, GREY * 0.5, atol=0.01)


def test_a_big_npy_is_not_read_when_it_is_opened(tmp_path):
    path = tmp_path / "a.npy"
    shape = (2000, 2000, 2000)
    with path.open("wb") as file:
        header = {"descr": "<u2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 2 * 2000**3)  # a hole of 16 GB
    block = open_volume(path).read((slice(9, 10), slice(0, 9), slice(5, 9)))
    assert block.shape == (1, 1, 9, 4)


def name_two(path):
    np.savez(path / "a.npz", first=GREY, second=GREY)
    return path / "a.npz"


def name_two_in_hdf5(path):
    with pytest.importorskip("h5py").File(path / "a.h5", "w") as file:
        file["first"] = GREY
        file["second"] = GREY
    return path / "a.h5"


def name_two_in_zarr(path):
    group = zarr.create_group(str(path / "a.zarr"))
    group.create_array("first", data=GREY)
    group.create_array("second", data=GREY)
    return path / "a.zarr"


@pytest.mark.parametrize("write", [name_two, name_two_in_hdf5, name_two_in_zarr])
def test_where_there_are_several_arrays_one_must_be_named(tmp_path, write):
    path = write(tmp_path)
    with pytest.raises(VolumeError, match="first, second"):
        open_volume(path)
    with pytest.raises(VolumeError, match="'third'"):
        open_volume(path, dataset="third")
    assert open_volume(path, dataset="second").shape == SHAPE


@pytest.mark.parametrize(
    "name", ["a.npy", "a.npz", "a.tif", "a.mrc", "a.h5", "a.nii", "a.nii.gz", "a.png"]
)
def test_nonsense_is_refused_in_words(tmp_path, name):
    package = OPTIONAL.get(name)
    if package:
        pytest.importorskip(package)
    (tmp_path / name).write_bytes(b"nonsense " * 100)
    with pytest.raises(VolumeError, match=name):
        open_volume(tmp_path / name)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_tiff_that_was_cut_off_is_refused(tmp_path, compression):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, compression=compression, rowsperstrip=4)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(VolumeError, match=r"cannot be read|cut off"):
        open_volume(path).read(full_region(SHAPE))


def test_a_damaged_chunk_says_where_it_cannot_be_read(tmp_path):
    array = zarr.create_array(str(tmp_path / "a.zarr"), data=GREY, chunks=(4, 9, 22))
    volume = open_volume(tmp_path / "a.zarr")
    chunk = tmp_path / "a.zarr" / array.metadata.encode_chunk_key((0, 1, 0))
    chunk.write_bytes(b"junk")
    assert volume.read((slice(0, 7), slice(0, 9), slice(0, 22))).shape[1:] == (7, 9, 22)
    with pytest.raises(VolumeError, match="Voxels 0-7, 9-18, 0-22 of 'a'"):
        volume.read((slice(0, 7), slice(9, 18), slice(0, 22)))


def mix_kinds(folder):
    tifffile.imwrite(folder / "z.tif", GREY[0])


def add_a_stack(folder):
    shutil.rmtree(folder)
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", GREY)


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (mix_kinds, "several kinds"),
        (add_a_stack, "a slice was expected"),
        (empty, "no slices"),
    ],
)
def test_a_folder_that_is_no_volume_is_refused(tmp_path, harm, said):
    write_slices(tmp_path / "slices")
    harm(tmp_path / "slices")
    with pytest.raises(VolumeError, match=said):
        open_volume(tmp_path / "slices")


def test_a_slice_of_another_size_is_named_when_it_is_read(tmp_path):
    write_slices(tmp_path / "slices", ".tif")
    tifffile.imwrite(tmp_path / "slices" / "slice_99.tif", GREY[0, :5])
    volume = open_volume(tmp_path / "slices")
    volume.read((slice(0, 7), slice(0, 5), slice(0, 5)))
    with pytest.raises(VolumeError, match="slice_99"):
        volume.read((slice(7, 8), slice(0, 5), slice(0, 5)))


@pytest.mark.parametrize(("name", "package"), OPTIONAL.items())
def test_a_missing_package_says_how_to_install_it(tmp_path, monkeypatch, name, package):
    (tmp_path / name).write_bytes(b"")
    wanted = importlib.import_module

    def missing(module, *rest):
        if module == package:
            raise ModuleNotFoundError(module)
        return wanted(module, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(VolumeError, match=rf"{package}.*pip install"):
        open_volume(tmp_path / name)


@pytest.mark.parametrize("said", ["µm", "micrometer", "micron", "um", "\\u00B5m"])
def test_a_unit_has_one_spelling(said):
    assert as_volume(GREY, unit=said).unit == "um"


@pytest.mark.parametrize(
    "size", [(0, 1, 1), (1, -1, 1), (1, 1, np.nan), (1, 1, np.inf), (1, 1, 1, 1), (1,)]
)
def test_an_impossible_voxel_size_is_refused(size):
    with pytest.raises(VolumeError, match="voxel size"):
        as_volume(GREY, voxel_size=size)


def test_a_multiscale_that_calls_itself_an_array_gives_its_finest_level():
    class Levels(list):
        shape, dtype = SHAPE, GREY.dtype

    volume = as_volume(Levels([GREY, GREY[::2, ::2, ::2]]))
    np.testing.assert_array_equal(volume.read(full_region(SHAPE))[0], GREY)


@pytest.mark.parametrize(
    ("dtype", "offset"), [("u4", 4_000_000_000), ("i8", 2**40), ("f8", 1e12)]
)
def test_small_contrast_on_large_numbers_survives(dtype, offset):
    image = (GREY % 5).astype(dtype) + np.array(offset, dtype)
    volume = as_volume(image)
    out = measure_normalisation(volume).apply(volume.read(full_region(SHAPE)))
    assert len(np.unique(out)) == 5
    assert abs(out.std() - 1) < 0.05


def test_a_broken_voxel_beyond_float32_does_no_harm():
    image = GREY.astype(np.float64)
    image[0, 0, 0], image[0, 0, 1] = 1e300, -1e300
    volume = as_volume(image)
    out = measure_normalisation(volume).apply(volume.read(full_region(SHAPE)))
    assert np.isfinite(out).all()
    assert abs(out.std() - 1) < 0.05
