"""Laws of headers: whatever order and units a file has, a volume has z, y, x in one."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import zarr

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import create_ome_image, full_region, open_volume

SHAPE = (5, 6, 7)
GREY = np.arange(5 * 6 * 7, dtype=np.int16).reshape(SHAPE)


def write_ome_zarr(path, sizes, units):
    group = zarr.create_group(str(path))
    create_ome_image(
        group, "0", shape=SHAPE, chunks=SHAPE, dtype="i2", axes="zyx", voxel_size=sizes
    )
    known = group["0"].attrs["ome"]
    for axis, unit in zip(known["multiscales"][0]["axes"], units, strict=True):
        axis.update({"unit": unit} if unit else {})
    group["0"].attrs["ome"] = known


def write_ome_tiff(path, sizes, units):
    said = {f"PhysicalSize{a}": s for a, s in zip("ZYX", sizes, strict=True)}
    said |= {f"PhysicalSize{a}Unit": u for a, u in zip("ZYX", units, strict=True) if u}
    tifffile.imwrite(path, GREY, ome=True, metadata={"axes": "ZYX"} | said)


def write_nexus(path, sizes, units):
    with pytest.importorskip("h5py").File(path, "w") as file:
        file["grey"] = GREY
        file.attrs.update(signal="grey", axes=list("zyx"))
        for axis, size, unit, n in zip("zyx", sizes, units, SHAPE, strict=True):
            file[axis] = size * np.arange(n)
            file[axis].attrs["units"] = unit


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.zarr", write_ome_zarr), ("a.ome.tif", write_ome_tiff), ("a.h5", write_nexus)],
)
@pytest.mark.parametrize(
    ("sizes", "units", "size", "unit"),
    [
        ((500, 0.5, 0.5), ("nm", "um", "um"), (0.5, 0.5, 0.5), "um"),
        ((0.5, 500, 500), ("um", "nm", "nm"), (500, 500, 500), "nm"),
        ((2, 0.25, 2500), ("mm", "m", "um"), (2000, 250_000, 2500), "um"),
        ((500, 0.5, 0.5), ("deg", "um", "um"), (1, 1, 1), "pixel"),
        ((500, 0.5, 0.5), ("s", "um", "um"), (1, 1, 1), "pixel"),
    ],
)
def test_units_of_all_axes_become_one(tmp_path, name, write, sizes, units, size, unit):
    write(tmp_path / name, sizes, units)
    volume = open_volume(tmp_path / name)
    assert (volume.voxel_size, volume.unit) == (size, unit)


def test_a_depth_that_ome_tiff_does_not_tell_is_the_height(tmp_path):
    said = {"PhysicalSizeX": 500, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.25}
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY, metadata={"axes": "ZYX"} | said)
    volume = open_volume(tmp_path / "a.ome.tif")
    assert (volume.voxel_size, volume.unit) == ((250, 250, 500), "nm")


@pytest.mark.parametrize(
    ("unit", "size"), [("nm", (0.3, 0.5, 0.5)), ("sec", (1.0, 1.0, 1.0))]
)
def test_imagej_may_count_slices_in_a_unit_of_their_own(tmp_path, unit, size):
    tifffile.imwrite(
        tmp_path / "a.tif",
        GREY,
        imagej=True,
        resolution=(2, 2),
        metadata={"spacing": 300.0, "unit": "um", "zunit": unit, "axes": "ZYX"},
    )
    assert open_volume(tmp_path / "a.tif").voxel_size == pytest.approx(size)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("defaults", [{"/": "."}, {"/": "a", "a": "back"}, {"/": b"a"}])
def test_a_default_of_nexus_that_leads_back_ends(tmp_path, defaults):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file["grey"], file["a/other"] = GREY, GREY[:2]
        file.attrs["signal"] = "grey"
        file["a"].attrs["signal"] = "other"
        file["a/back"] = h5py.SoftLink("/")
        for name, default in defaults.items():
            file[name].attrs["default"] = default
    # A circle ends where it began, at the signal of the file itself.
    found = GREY[:2].shape if defaults["/"] == b"a" else SHAPE
    assert open_volume(tmp_path / "a.nxs").shape == found


def write_mrc(path, stored, image=GREY):
    """Write what an image (z, y, x) is with its axes in another order."""
    mrcfile = pytest.importorskip("mrcfile")
    with mrcfile.new(path) as file:
        file.set_data(image.transpose([3 - axis for axis in stored]).copy())
        file.header.maps, file.header.mapr, file.header.mapc = stored
        file.header.mz, file.header.my, file.header.mx = image.shape
        file.voxel_size = (5.0, 6.0, 7.0)  # x, y, z


@pytest.mark.parametrize("stored", list(itertools.permutations((1, 2, 3))))
def test_axes_of_mrc_come_in_any_order(tmp_path, stored):
    write_mrc(tmp_path / "a.mrc", stored)
    volume = open_volume(tmp_path / "a.mrc")
    assert volume.shape == SHAPE
    assert volume.voxel_size == pytest.approx((7.0, 6.0, 5.0))
    np.testing.assert_array_equal(volume.read(full_region(SHAPE))[0], GREY)
    part = volume.read((slice(1, 3), slice(2, 6), slice(3, 4)))
    np.testing.assert_array_equal(part[0], GREY[1:3, 2:6, 3:4])


@pytest.mark.parametrize("stored", [(3, 1, 2), (1, 3, 2)])
def test_an_image_of_mrc_may_be_stored_turned(tmp_path, stored):
    mrcfile = pytest.importorskip("mrcfile")
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(GREY[0])
        file.header.maps, file.header.mapr, file.header.mapc = stored
    volume = open_volume(tmp_path / "a.mrc")
    # Rows along x; or rows along z, and columns along y.
    image = GREY[0].T[None] if stored[0] == 3 else GREY[0][:, :, None]
    np.testing.assert_array_equal(volume.read(full_region(image.shape))[0], image)


def test_mrc_without_axes_has_the_usual_ones_and_with_nonsense_is_refused(tmp_path):
    mrcfile = pytest.importorskip("mrcfile")
    path = tmp_path / "a.mrc"
    write_mrc(path, (3, 2, 1))
    for stored, said in (((0, 0, 0), None), ((3, 3, 1), "1, 3, 3"), ((7, 2, 1), "7")):
        with mrcfile.open(path, "r+") as file:
            file.header.maps, file.header.mapr, file.header.mapc = stored
        if said is None:
            assert open_volume(path).shape == SHAPE
            continue
        with pytest.raises(VolumeError, match=rf"{said}.*mapc, mapr, maps"):
            open_volume(path)


READS = """
import resource, sys
import numpy as np
from napari_sashiko.volumes import full_region, open_volume
volume = open_volume(sys.argv[1])
volume.read(tuple(slice(0, 1) for _ in volume.shape))
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
print(int(volume.read(full_region(volume.shape)).sum()))
"""


def test_a_folder_of_many_slices_keeps_few_files_open(tmp_path):
    pytest.importorskip("resource")
    for number in range(100):
        tifffile.imwrite(tmp_path / f"{number}.tif", np.full((4, 5), number, np.uint8))
    done = subprocess.run(
        [sys.executable, "-c", READS, tmp_path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(20 * sum(range(100))), done.stderr
