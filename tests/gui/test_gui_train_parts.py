"""Parts of the train step: curves, the settings form, the preview array, words."""

import itertools
from typing import Annotated, Literal

import numpy as np
import pytest
from annotated_types import Ge, Le
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel
from pydantic import Field
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox

from napari_sashiko.config import Settings
from napari_sashiko.errors import SettingsError
from napari_sashiko.gui.curves import MOST_POINTS, Curve
from napari_sashiko.gui.preview_array import PreviewArray
from napari_sashiko.gui.settings_form import SettingsForm
from napari_sashiko.gui.train_words import clock, describe_result, describe_settings

pytestmark = pytest.mark.gui


class Example(Settings):
    network: str = Field("auto", description="Kind of network.")
    members: Annotated[int, Ge(1), Le(20)] = Field(4, description="Networks, 1-20.")
    minutes: Annotated[float, Ge(0.5)] | None = Field(2.0, description="Time, min.")
    neighbours: Annotated[int, Ge(0), Le(15)] | None = Field(None)
    dims: Literal["auto", "2", "3"] = "auto"
    forest: bool = True
    rate: float = Field(3e-3, gt=0, le=1)
    device: str = "auto"
    extra: dict[str, int] = Field(default_factory=dict)


@pytest.fixture
def form(qtbot):
    form = SettingsForm(Example, choices={"device": ["auto", "cpu"]})
    qtbot.addWidget(form)
    return form


def test_an_untouched_form_gives_the_defaults(form):
    assert form.settings() == Example()


def test_every_field_carries_its_description(form):
    assert form.findChild(QSpinBox, "members").toolTip() == "Networks, 1-20."


def test_limits_of_the_model_are_limits_of_the_form(form):
    box = form.findChild(QSpinBox, "members")
    box.setValue(1000)
    assert form.settings().members == 20


@pytest.mark.parametrize("value", [None, 0, 15])
def test_automatic_is_a_value_of_its_own(form, value):
    form.set_values(neighbours=value)
    assert form.settings().neighbours == value


def test_values_come_back_as_they_went_in(form):
    values = {
        "network": "tunet",
        "members": 3,
        "minutes": None,
        "dims": "3",
        "forest": False,
        "rate": 0.01,
        "device": "cpu",
    }
    form.set_values(**values)
    settings = form.settings()
    assert {name: getattr(settings, name) for name in values} == values


def test_small_numbers_are_not_rounded_away(form):
    box = form.findChild(QDoubleSpinBox, "rate")
    assert box.value() == 3e-3
    box.stepBy(1)
    assert 3e-3 < box.value() < 5e-3


def test_a_choice_is_a_box_with_these_choices(form):
    box = form.findChild(QComboBox, "device")
    assert [box.itemText(i) for i in range(box.count())] == ["auto", "cpu"]


def test_impossible_values_are_an_error_in_words(qtbot):
    class Strict(Settings):
        name: str = Field("abc", min_length=3)

    form = SettingsForm(Strict)
    qtbot.addWidget(form)
    form.set_values(name="a")
    with pytest.raises(SettingsError, match="name"):
        form.settings()


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
