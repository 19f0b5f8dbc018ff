"""Parts of the train step: curves, the preview array, words."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel

from napari_sashiko.gui.curves import MOST_POINTS, Curve
from napari_sashiko.gui.preview_array import PreviewArray
from napari_sashiko.gui.train_words import clock, describe_result, describe_settings

pytestmark = pytest.mark.gui


@pytest.fixture
def curve(qtbot):
    curve = Curve("loss", ViewerModel())
    qtbot.addWidget(curve)
    curve.resize(160, 110)
    return curve


def test_a_curve_keeps_first_and_last_point_in_bounded_memory(curve):
    for x in range(10 * MOST_POINTS):
        curve.add(0, x, 1.0)
    points = curve.lines[0]
    assert len(points) <= MOST_POINTS
    assert points[0][0] == 0
    assert points[-1][0] == 10 * MOST_POINTS - 1
    assert all(a[0] < b[0] for a, b in itertools.pairwise(points))


def test_values_that_are_no_numbers_leave_no_point(curve):
    curve.add(0, 1, float("nan"))
    curve.add(0, 2, float("inf"))
    assert curve.lines == {}
    assert curve.last is None


def test_a_falling_curve_is_painted_from_top_left_to_bottom_right(curve):
    for x in range(11):
        curve.add(0, x, 1 - x / 10)
    before = Curve("loss", curve._viewer)
    before.resize(curve.size())
    empty, full = (_pixels(each) for each in (before, curve))
    changed = np.argwhere((empty != full).any(-1))
    body = changed[(changed[:, 0] > 22) & (changed[:, 1] > 45)]
    left, right = body[body[:, 1] < 80], body[body[:, 1] > 130]
    assert left[:, 0].mean() < right[:, 0].mean() - 20
    before.shutdown()


def _pixels(widget):
    image = (
        widget.grab()
        .toImage()
        .convertToFormat(widget.grab().toImage().Format.Format_RGB32)
    )
    bits = image.constBits()
    if hasattr(bits, "setsize"):  # PyQt6 does not know how many there are
        bits.setsize(image.sizeInBytes())
    bits = np.frombuffer(bits, np.uint8)
    return bits.reshape(image.height(), image.width(), 4)[..., :3].copy()


boxes = st.tuples(
    *[
        st.tuples(st.integers(0, 5), st.integers(1, 6)).map(
            lambda pair: slice(pair[0], pair[0] + pair[1])
        )
    ]
    * 3
)


@given(st.lists(st.tuples(boxes, st.integers(1, 5)), max_size=5), boxes)
def test_a_preview_array_is_zeros_with_boxes_pasted_in_order(puts, key):
    shape = (12, 12, 12)
    truth = np.zeros(shape, np.uint8)
    lazy = PreviewArray(shape)
    for box, value in puts:
        truth[box] = value
        lazy.put(box, np.full([s.stop - s.start for s in box], value, np.uint8))
    np.testing.assert_array_equal(lazy[key], truth[key])
    np.testing.assert_array_equal(lazy[3], truth[3])
    np.testing.assert_array_equal(lazy[:, -1, 2:4], truth[:, -1, 2:4])
    np.testing.assert_array_equal(np.asarray(lazy), truth)


def test_a_preview_array_forgets_the_oldest_when_it_grows(monkeypatch):
    monkeypatch.setattr("napari_sashiko.gui.preview_array.MOST_BYTES", 250)
    lazy = PreviewArray((10, 10, 10))
    whole = slice(0, 10)
    for z in range(5):
        lazy.put((slice(z, z + 1), whole, whole), np.ones((1, 10, 10), np.uint8))
    assert [bool(lazy[z].any()) for z in range(5)] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (69.6, "1:10"), (3725, "1:02:05"), (-3, "0:00")]
)
def test_seconds_are_told_as_a_clock(seconds, words):
    assert clock(seconds) == words


def test_settings_in_words_name_what_was_chosen():
    words = describe_settings(
        {
            "network": "tunet",
            "members": 3,
            "dims": "2",
            "device": "cuda:0",
            "minutes": 5,
        }
    )
    assert words == "tunet × 3, 2D, cuda:0, 5 min at most"


def test_a_score_that_does_not_exist_is_not_told():
    assert describe_result({"macro_f1": float("nan")}) == ""
    assert describe_result({}) == ""
