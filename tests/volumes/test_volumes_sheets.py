"""Folders of pictures: each a slice of its own, mirrored up to the largest one."""

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from small_pictures import BEYOND, fenced

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import (
    as_channels,
    find_pictures,
    full_region,
    measure_normalisation,
    open_volume,
    picture_head,
    read_picture,
    sheet_volume,
)
from napari_sashiko.volumes.sheets import mirrored

SIZES = ((20, 30), (37, 11), (5, 64))
RNG = np.random.default_rng(3)
PICTURES = [RNG.integers(0, 256, size).astype(np.uint8) for size in SIZES]


@pytest.fixture
def portfolio(tmp_path):
    folder = tmp_path / "data"
    (folder / "train" / "images").mkdir(parents=True)
    for number, picture in enumerate(PICTURES):
        iio.imwrite(folder / "train" / "images" / f"p{number}.png", picture)
    return folder


def test_pictures_keep_their_pixels_and_go_on_as_their_mirror_image(portfolio):
    volume = open_volume(portfolio)
    assert volume.separate
    assert volume.shape == (3, 37, 64)
    for number, picture in enumerate(PICTURES):
        y, x = (37 - picture.shape[0], 64 - picture.shape[1])
        wanted = np.pad(picture, [(0, y), (0, x)], mode="symmetric")
        found = volume.read((slice(number, number + 1), slice(0, 37), slice(0, 64)))
        np.testing.assert_array_equal(found[0, 0], wanted)


@pytest.mark.parametrize("box", [(2, 9, 3, 8), (4, 37, 10, 64), (30, 36, 60, 63)])
def test_a_box_is_that_part_of_the_whole(portfolio, box):
    volume = open_volume(portfolio)
    whole = volume.read(full_region(volume.shape))
    y, x = slice(*box[:2]), slice(*box[2:])
    np.testing.assert_array_equal(volume.read((slice(0, 3), y, x)), whole[:, :, y, x])


@pytest.mark.parametrize("size", [1, 2, 7])
def test_places_beyond_the_edge_are_those_of_symmetric_padding(size):
    line = np.arange(size)
    np.testing.assert_array_equal(
        line[mirrored(range(40), size)], np.pad(line, (0, 40 - size), mode="symmetric")
    )


def test_padding_does_not_change_the_grey_scale(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for number, size in enumerate([(400, 400), (30, 30), (40, 20), (25, 25)]):
        picture = rng.normal(100, 10, size).clip(0, 255).astype(np.uint8)
        iio.imwrite(tmp_path / "images" / f"{number}.png", picture)
    found = measure_normalisation(open_volume(tmp_path))
    assert found.center[0] == pytest.approx(99.5, abs=1)  # floored
    assert found.low[0] > 60


@given(
    low=st.tuples(st.integers(0, 3), st.floats(0, 1), st.floats(0, 1)),
    edge=st.integers(1, 48),
)
def test_a_box_drawn_anywhere_is_moved_into_its_picture(low, edge):
    volume = fenced()
    size = (1, min(edge, volume.shape[1]), min(edge, volume.shape[2]))
    room = [n - s for n, s in zip(volume.shape, size, strict=True)]
    corner = (low[0], round(low[1] * room[1]), round(low[2] * room[2]))
    box = volume.fitted(corner, size)
    assert not (volume.read(box) == BEYOND).any()
    sides = [part.stop - part.start for part in box]
    own = (1, *volume.extent(corner[0]))
    assert sides == [min(s, n) for s, n in zip(size, own, strict=True)]
    if own[1:] == volume.shape[1:]:
        assert [part.start for part in box] == list(corner)


def test_every_place_of_a_picture_may_be_drawn():
    volume = fenced()
    starts = {volume.fitted((2, 0, x), (1, 5, 5))[2].start for x in range(48 - 5 + 1)}
    assert starts == set(range(13 - 5 + 1))


def test_what_lies_beyond_pictures_is_not_measured():
    assert measure_normalisation(fenced()).high[0] < 1


def test_parts_follow_each_other_and_numbers_give_the_order(tmp_path):
    for part, names in (("test", ["a"]), ("train", ["p10", "p9"]), ("validate", ["b"])):
        (tmp_path / part / "images").mkdir(parents=True)
        for name in names:
            value = {"p9": 1, "p10": 2, "b": 3, "a": 4}[name]
            iio.imwrite(
                tmp_path / part / "images" / f"{name}.png",
                np.full((4, 4), value, np.uint8),
            )
    volume = open_volume(tmp_path)
    assert volume.read(full_region(volume.shape))[0, :, 0, 0].tolist() == [1, 2, 3, 4]


def test_the_digest_knows_names_and_kinds_without_reading_a_picture(
    portfolio, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr("napari_sashiko.volumes.sheets.read_picture", None)
        before = open_volume(portfolio).digest()
        assert open_volume(portfolio).digest() == before
    images = portfolio / "train" / "images"
    (images / "p0.png").rename(images / "q0.png")
    assert open_volume(portfolio).digest() != before


KINDS = {
    "16 bits": (np.arange(600, dtype=np.uint16).reshape(20, 30) * 100, 1),
    "colours": (RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8), 3),
    "opacity": (RNG.integers(0, 256, (20, 30, 4)).astype(np.uint8), 3),
    "grey with opacity": (RNG.integers(0, 256, (20, 30, 2)).astype(np.uint8), 1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_header_tells_what_reading_gives(tmp_path, kind):
    picture, channels = KINDS[kind]
    path = tmp_path / "a.png"
    iio.imwrite(path, picture)
    head, found = picture_head(path), read_picture(path)
    assert head.size == found.shape[:2] == (20, 30)
    assert head.channels == channels == (1 if found.ndim == 2 else 3)
    assert head.dtype == found.dtype == picture.dtype
    wanted = np.atleast_3d(picture)[..., :channels]
    np.testing.assert_array_equal(np.atleast_3d(found), wanted)


def test_a_picture_of_one_bit_is_read_as_it_is_shown(tmp_path):
    from PIL import Image  # noqa: PLC0415 - imageio writes no such file

    bits = RNG.random((9, 12)) > 0.5
    Image.fromarray(bits).save(tmp_path / "a.png")
    assert picture_head(tmp_path / "a.png").dtype == np.uint8
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), bits * 255)


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "f4"])
def test_a_tiff_of_any_byte_order_is_read(tmp_path, dtype):
    picture = (np.arange(60).reshape(6, 10) * 7).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", picture, byteorder=dtype[0].strip("f") or "<")
    found = read_picture(tmp_path / "a.tif")
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(found, picture)
    assert picture_head(tmp_path / "a.tif").dtype == np.dtype(dtype).newbyteorder("=")


def test_a_tiff_whose_colours_are_stored_plane_by_plane_is_read(tmp_path):
    planes = RNG.integers(0, 256, (3, 20, 30)).astype(np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate"
    )
    assert picture_head(tmp_path / "a.tif").channels == 3
    np.testing.assert_array_equal(
        read_picture(tmp_path / "a.tif"), np.moveaxis(planes, 0, -1)
    )


def cut_short(path):
    iio.imwrite(path, PICTURES[0])
    path.write_bytes(path.read_bytes()[:-200])


def no_picture(path):
    path.write_text("hello")


def a_stack(path):
    tifffile.imwrite(path, np.zeros((7, 9, 9), np.uint8))


@pytest.mark.parametrize(
    ("name", "harm", "said"),
    [
        ("a.png", cut_short, "a.png is not a picture, or it is damaged"),
        ("a.png", no_picture, "a.png is not a picture, or it is damaged"),
        ("a.tif", no_picture, "a.tif is not a picture, or it is damaged"),
        ("a.tif", a_stack, "one picture was expected"),
        ("a.png", lambda path: None, "a.png is not a picture"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path, name, harm, said):
    harm(tmp_path / name)
    with pytest.raises(VolumeError, match=said):
        read_picture(tmp_path / name)


def test_grey_and_colours_become_each_other_only_without_a_loss():
    grey = PICTURES[0]
    colours = as_channels(grey, 3, "a")
    assert colours.shape == (*grey.shape, 3)
    np.testing.assert_array_equal(as_channels(colours, 1, "a"), grey)
    colours[3, 4] = (1, 2, 3)
    with pytest.raises(VolumeError, match="a has 3 channel"):
        as_channels(colours, 1, "a")


def test_pictures_of_another_type_of_numbers_are_refused(portfolio):
    odd = portfolio / "train" / "images" / "p9.png"
    iio.imwrite(odd, np.zeros((9, 9), np.uint16))
    with pytest.raises(VolumeError, match=r"p9.png is of type uint16, p0.png of uint8"):
        open_volume(portfolio)


def test_a_picture_that_changed_is_not_taken_for_the_old_one(portfolio):
    volume = open_volume(portfolio)
    iio.imwrite(portfolio / "train" / "images" / "p0.png", PICTURES[1])
    with pytest.raises(VolumeError, match=r"p0\.png has changed"):
        volume.read((slice(0, 1), slice(0, 5), slice(0, 5)))


def test_an_empty_folder_names_the_parts_that_may_be_meant(portfolio, tmp_path):
    with pytest.raises(VolumeError, match="parts: train"):
        find_pictures(portfolio)
    assert len(find_pictures(portfolio / "train")) == len(PICTURES)
    (tmp_path / "none").mkdir()
    with pytest.raises(VolumeError, match=r"\.png"):
        find_pictures(tmp_path / "none")
    with pytest.raises(VolumeError, match="cannot be read"):
        find_pictures(tmp_path / "missing")


def test_one_grey_picture_among_colours_is_read_in_colours(tmp_path):
    iio.imwrite(tmp_path / "a.png", KINDS["colours"][0])
    iio.imwrite(tmp_path / "b.png", PICTURES[0])
    heads = [picture_head(tmp_path / name) for name in ("a.png", "b.png")]
    volume = sheet_volume(heads, name="two")
    assert volume.channels == 3
    found = volume.read((slice(1, 2), slice(0, 20), slice(0, 30)))
    for channel in found[:, 0]:
        np.testing.assert_array_equal(channel, PICTURES[0])
