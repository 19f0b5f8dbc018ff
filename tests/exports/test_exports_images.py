"""Laws of files for other programs: every number comes back, or it is said why not."""

import errno
import os

import numpy as np
import pytest
import tifffile
from exports_contents import SIZE, content_of

from napari_sashiko.errors import OutputError
from napari_sashiko.exports import _mrc, content, export_image
from napari_sashiko.runners import Message, Progress
from napari_sashiko.volumes import Stacking, Time, full_region, open_volume

SHAPE = (7, 9, 11)
RNG = np.random.default_rng(0)
ANGSTROM = 1e4  # of a micrometre


def written(what, out, **more):
    *_, done = export_image(what, out, **more)
    return done


def read_back(path):
    volume = open_volume(path)
    return volume, volume.read(full_region(volume.shape))


@pytest.mark.parametrize("voxels", [1, 60, 1 << 21])
@pytest.mark.parametrize(
    ("dtype", "top"), [("uint8", 255), ("uint32", 2**32 - 1), ("float32", 1)]
)
def test_a_tiff_gives_every_number_back(tmp_path, monkeypatch, dtype, top, voxels):
    monkeypatch.setattr(content, "VOXELS", voxels)
    values = (RNG.random(SHAPE) * top).astype(dtype)
    values.flat[:2] = 0, top
    done = written(content_of(tmp_path, values), tmp_path / "a.tif")
    volume, back = read_back(tmp_path / "a.tif")
    assert back.dtype == dtype
    np.testing.assert_array_equal(back[0], values)
    assert (volume.voxel_size, volume.unit) == (SIZE, "um")
    assert done.bytes == (tmp_path / "a.tif").stat().st_size
    assert done.path == str(tmp_path / "a.tif")


def test_a_tiff_is_big_says_what_it_is_and_names_its_channels(tmp_path):
    values = RNG.random((3, *SHAPE)).astype(np.float16)
    names = ("rest", "fibre <1>", "Poren & Öl")
    what = content_of(tmp_path, values, names=names, dtype="float32", note="Shares.")
    written(what, tmp_path / "a.tiff")
    with tifffile.TiffFile(tmp_path / "a.tiff") as file:
        assert file.is_bigtiff
        assert file.series[0].axes == "CZYX"
        assert file.series[0].dataoffset is not None  # others may map it too
        facts = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
    channels = facts["Pixels"]["Channel"]
    assert tuple(each["Name"] for each in channels) == names
    assert (facts["Name"], facts["Description"]) == ("Things", "Shares.")
    volume, back = read_back(tmp_path / "a.tiff")
    assert volume.voxel_size == SIZE
    np.testing.assert_array_equal(back, values.astype(np.float32))


@pytest.mark.parametrize("unit", ["nm", "angstrom", "mm", "m"])
@pytest.mark.parametrize("ending", [".tif", ".mrc"])
def test_units_keep_their_length(tmp_path, ending, unit):
    if ending == ".mrc":
        pytest.importorskip("mrcfile")
    values = np.zeros(SHAPE, np.float32)
    written(content_of(tmp_path, values, unit=unit), tmp_path / f"a{ending}")
    volume, _ = read_back(tmp_path / f"a{ending}")
    factor = _mrc.ANGSTROM[unit] / _mrc.ANGSTROM[volume.unit]
    assert volume.voxel_size == pytest.approx([factor * s for s in SIZE], rel=1e-6)


@pytest.mark.parametrize("ending", [".tif", ".mrc"])
def test_an_unknown_unit_is_said_and_no_size_is_made_up(tmp_path, ending):
    if ending == ".mrc":
        pytest.importorskip("mrcfile")
    what = content_of(tmp_path, np.ones(SHAPE, np.float32), unit="pixel")
    events = list(export_image(what, tmp_path / f"a{ending}"))
    assert any("no unit of length" in e.text for e in events if isinstance(e, Message))
    assert open_volume(tmp_path / f"a{ending}").unit == "pixel"


@pytest.mark.parametrize("ending", [".tif", ".mrc"])
def test_a_single_image_stays_one(tmp_path, ending):
    if ending == ".mrc":
        pytest.importorskip("mrcfile")
    values = RNG.integers(0, 100, (9, 11)).astype(np.uint8)
    what = content_of(tmp_path, values, voxel_size=SIZE[1:], largest=100)
    written(what, tmp_path / f"a{ending}")
    volume, back = read_back(tmp_path / f"a{ending}")
    assert volume.flat
    np.testing.assert_array_equal(back[0, 0], values)
    unit = 1 if volume.unit == "um" else ANGSTROM
    assert volume.voxel_size[1:] == pytest.approx([unit * s for s in SIZE[1:]])


@pytest.mark.parametrize(
    ("dtype", "top", "kept"),
    [("uint8", 127, "int8"), ("uint8", 255, "uint16"), ("uint32", 65535, "uint16")],
)
def test_an_mrc_keeps_whole_numbers_in_a_type_that_it_has(tmp_path, dtype, top, kept):
    mrcfile = pytest.importorskip("mrcfile")
    values = RNG.integers(0, top, SHAPE).astype(dtype)
    values.flat[:2] = 0, top
    largest = None if dtype == "uint32" else top
    events = list(
        export_image(content_of(tmp_path, values, largest=largest), tmp_path / "a.mrc")
    )
    assert any(f"kept as {kept}" in e.text for e in events if isinstance(e, Message))
    volume, back = read_back(tmp_path / "a.mrc")
    assert volume.dtype == kept
    np.testing.assert_array_equal(back[0].astype(dtype), values)
    assert volume.voxel_size == pytest.approx([ANGSTROM * size for size in SIZE])
    assert mrcfile.validate(tmp_path / "a.mrc")
    with mrcfile.open(tmp_path / "a.mrc", header_only=True) as file:
        header = file.header
        assert (header.dmin, header.dmax) == (0, top)
        assert header.dmean == pytest.approx(values.mean(), rel=1e-6)
        assert header.rms == pytest.approx(values.std(), rel=1e-5)
        assert b"Things" in bytes(header.label[1])


def test_what_an_mrc_cannot_hold_is_said_and_leaves_nothing(tmp_path):
    pytest.importorskip("mrcfile")
    values = np.zeros(SHAPE, np.uint32)
    values[-1, -1, -1] = 65536
    there = [*sorted(tmp_path.iterdir()), tmp_path / "array.zarr"]
    with pytest.raises(OutputError, match=r"65536.* is 65535\. Write a TIFF"):
        written(content_of(tmp_path, values), tmp_path / "a.mrc")
    assert sorted(tmp_path.iterdir()) == there


def test_an_mrc_holds_one_class(tmp_path):
    pytest.importorskip("mrcfile")
    values = RNG.random((2, *SHAPE)).astype(np.float16)
    both = content_of(tmp_path, values, names=("a", "b"), dtype="float32")
    with pytest.raises(OutputError, match=r"Things are 2\. Name a class"):
        written(both, tmp_path / "a.mrc")
    one = content_of(tmp_path / "one", values, channel=1, dtype="float32")
    written(one, tmp_path / "a.mrc")
    np.testing.assert_array_equal(
        read_back(tmp_path / "a.mrc")[1][0], values[1].astype(np.float32)
    )


@pytest.mark.parametrize("timed", [True, False])
def test_pictures_at_several_times_are_a_stack_of_images_in_an_mrc(tmp_path, timed):
    mrcfile = pytest.importorskip("mrcfile")
    values = RNG.random(SHAPE).astype(np.float32)
    stack = Stacking(SHAPE, 1, flat=True, time=Time(2.0, "s"))
    more = {"stack": stack, "voxel_size": (0.5, 0.25)} if timed else {}
    written(content_of(tmp_path, values, **more), tmp_path / "a.mrc")
    with mrcfile.open(tmp_path / "a.mrc") as file:
        assert file.is_image_stack() == timed
        assert file.is_volume() != timed
        np.testing.assert_array_equal(file.data, values)
        assert (file.voxel_size.y, file.voxel_size.x) == (5000, 2500)
    assert mrcfile.validate(tmp_path / "a.mrc")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("ending", [".tif", ".mrc"])
def test_closing_midway_leaves_what_was_there(tmp_path, ending, before):
    if ending == ".mrc":
        pytest.importorskip("mrcfile")
    out = tmp_path / f"a{ending}"
    if before:
        out.write_bytes(b"precious")
    what = content_of(tmp_path, RNG.random(SHAPE).astype(np.float32))
    there = sorted(tmp_path.iterdir())
    steps = export_image(what, out, overwrite=True)
    for event in steps:
        if isinstance(event, Progress):
            assert event.done < event.total
            break
    assert len(list(tmp_path.iterdir())) == len(there) + 1  # under another name
    steps.close()
    assert sorted(tmp_path.iterdir()) == there
    assert not before or out.read_bytes() == b"precious"


def test_a_file_is_replaced_only_when_that_is_asked_for(tmp_path):
    what = content_of(tmp_path, np.ones(SHAPE, np.float32))
    (tmp_path / "a.tif").write_bytes(b"precious")
    with pytest.raises(OutputError, match=r"exists\. .*or overwrite"):
        written(what, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_bytes() == b"precious"
    written(what, tmp_path / "a.tif", overwrite=True)
    assert read_back(tmp_path / "a.tif")[1].min() == 1
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        written(what, tmp_path / "folder.tif", overwrite=True)


def test_a_format_that_is_not_there_is_said(tmp_path):
    what = content_of(tmp_path, np.ones(SHAPE, np.float32))
    with pytest.raises(OutputError, match=r"a.jpg.*\.tif, \.tiff, \.mrc"):
        written(what, tmp_path / "a.jpg")


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="not on this system")
def test_a_full_disk_is_said_before_anything_is_mapped(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    what = content_of(tmp_path, np.ones(SHAPE, np.float32))
    there = sorted(tmp_path.iterdir())
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match="No space left"):
        written(what, tmp_path / "a.tif")
    assert sorted(tmp_path.iterdir()) == there


def test_a_damaged_result_is_said(tmp_path):
    what = content_of(tmp_path, RNG.random(SHAPE).astype(np.float32))
    chunk = tmp_path / "array.zarr" / what.array.metadata.encode_chunk_key((1, 1, 1))
    chunk.write_bytes(b"junk")
    with pytest.raises(OutputError, match="is damaged"):
        written(what, tmp_path / "a.tif")
    assert not (tmp_path / "a.tif").exists()
