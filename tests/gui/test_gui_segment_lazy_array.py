"""Slices of a lazy array read what numpy would read, and only that."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sashiko.gui.lazy_array import LazyArray

DATA = np.random.default_rng(0).random((2, 5, 6, 7)).astype(np.float16)


class Counted:
    """An array that notes what is read."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.read = []

    def __getitem__(self, key):
        self.read.append(key)
        return self.array[key]


def steps(length):
    index = st.integers(-length, length - 1)
    ends = st.integers(-length - 2, length + 2)
    return index | st.builds(slice, ends | st.none(), ends | st.none())


@given(first=steps(5), second=steps(6), then=steps(1))
def test_slices_of_slices_equal_those_of_numpy(first, second, then):
    lazy, truth = LazyArray(DATA, channel=1), DATA[1]
    one, other = lazy[first, second], truth[first, second]
    assert one.shape == other.shape
    np.testing.assert_array_equal(np.asarray(one), other)
    if one.shape[0] > 0:
        np.testing.assert_array_equal(np.asarray(one[0]), other[0])


def test_nothing_is_read_before_a_picture_is_drawn():
    disk = Counted(DATA)
    plane = LazyArray(disk, channel=0)[:, 2:4][3]
    assert plane[0].dtype == np.float16
    assert disk.read == []
    np.asarray(plane)
    assert disk.read == [(0, 3, slice(2, 4), slice(0, 7))]


def test_the_highest_channel_is_the_maximum():
    highest = LazyArray(DATA, channel="highest", dtype=np.float32)
    np.testing.assert_array_equal(np.asarray(highest), DATA.max(0).astype(np.float32))
    assert np.asarray(highest).dtype == np.float32


def test_values_written_after_the_view_was_made_are_seen():
    array = np.zeros((4, 4), np.uint8)
    view = LazyArray(array)[1:3]
    array[1] = 7
    assert np.asarray(view)[0].tolist() == [7, 7, 7, 7]


@pytest.mark.parametrize("key", [9, (0, 0, 0, 0), slice(None, None, 2)])
def test_impossible_indices_are_refused(key):
    with pytest.raises(IndexError):
        LazyArray(DATA, channel=0)[key]
