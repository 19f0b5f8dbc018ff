"""Pictures of any sizes as a stack: what is read, and what is beyond them."""

import numpy as np
import pytest

from napari_sashiko.pipeline.shown_pictures import PictureStack

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
