"""Pictures of any sizes as a stack: what is read, and what is beyond them."""

import imageio.v3 as iio
import numpy as np
import pytest

from napari_sashiko.labels import LabelValues
from napari_sashiko.pipeline.folder_results import FolderResults, tiff_of
from napari_sashiko.pipeline.shown_pictures import PictureStack, open_pictures

SIZES = ((3, 5), (4, 2))


@pytest.fixture
def stack():
    asked = []

    def read(number):
        asked.append(number)
        return np.full(SIZES[number], number + 1, np.uint8)

    made = PictureStack((2, 4, 5), np.uint8, read)
    made.asked = asked
    return made


def test_smaller_pictures_end_in_0(stack):
    whole = stack[:, :, :]
    assert whole.shape == (2, 4, 5)
    assert (whole[0, :3] == 1).all()
    assert not whole[0, 3].any()
    assert (whole[1, :, :2] == 2).all()
    assert not whole[1, :, 2:].any()


def test_only_what_is_shown_is_opened_and_once(stack):
    np.testing.assert_array_equal(stack[1, 1:3, 0], [2, 2])
    np.testing.assert_array_equal(stack[1, 0, :], [2, 2, 0, 0, 0])
    assert stack.asked == [1]


@pytest.mark.parametrize(("channels", "kind"), [(1, np.float32), (3, np.uint8)])
def test_restored_pictures_look_like_those_they_were_made_of(tmp_path, channels, kind):
    images, out = tmp_path / "images", tmp_path / "out"
    for folder in (images, out):
        folder.mkdir()
    picture = np.full((4, 5, 3)[: 2 + (channels > 1)], 7, np.uint8)
    iio.imwrite(images / "a.png", picture)
    made = np.full((channels, 4, 5), 6.6, np.float32)
    made[:, 0, :2] = [-3, 260]
    (out / "a.tif").write_bytes(tiff_of(made))
    FolderResults(
        out, "clear", "x", images, (), LabelValues((), (), 0), restores=True
    ).write()
    found = open_pictures(out)
    np.testing.assert_array_equal(found.picture(0), picture)
    restored = found.restored(0)
    assert restored.dtype == found.restored_dtype == kind
    first = restored if channels == 1 else restored[..., 0]
    expected = made[0] if channels == 1 else np.clip(np.rint(made[0]), 0, 255)
    np.testing.assert_array_equal(first, expected)
