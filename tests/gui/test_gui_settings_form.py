"""A form of settings: rows by type, numbers of any size, what belongs to a part."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le
from pydantic import Field
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from napari_sashiko import pipeline
from napari_sashiko.config import Settings
from napari_sashiko.errors import SettingsError
from napari_sashiko.gui.settings_form import PartChoice, SettingsForm, part_choices
from napari_sashiko.networks import ENCODERS, NETWORKS, RECONSTRUCTORS

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


class Numbers(Settings):
    rate: Annotated[float, Gt(0), Le(1)] = 3e-3
    growth: Annotated[float, Gt(0), Le(4)] = 2.0
    gamma: Annotated[float, Ge(1)] = 4.0 / 3.0
    minutes: Annotated[float, Gt(0), Le(10_000)] | None = 2.0


@pytest.fixture
def numbers(qtbot):
    form = SettingsForm(Numbers)
    qtbot.addWidget(form)
    return form


def typed(qtbot, form, name, text):
    """Write into the box of a setting as a user does."""
    box = form.findChild(QDoubleSpinBox, name)
    box.lineEdit().selectAll()
    qtbot.keyClicks(box.lineEdit(), text)
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Return)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("rate", "0.000025", 2.5e-5),
        ("rate", "2.5e-5", 2.5e-5),
        ("growth", "1.25", 1.25),
        ("growth", "0,875", 0.875),
        ("minutes", "0.05", 0.05),
        ("minutes", "1234.5", 1234.5),
    ],
)
def test_every_number_in_the_range_can_be_typed(qtbot, numbers, name, text, value):
    typed(qtbot, numbers, name, text)
    assert getattr(numbers.settings(), name) == value


@pytest.mark.parametrize("text", ["7", "-1", "ee"])
def test_a_number_out_of_the_range_leaves_the_one_before(qtbot, numbers, text):
    typed(qtbot, numbers, "growth", text)
    assert numbers.settings().growth == 2.0


def test_a_number_that_the_box_shows_shorter_is_kept(numbers):
    assert numbers.settings().gamma == 4.0 / 3.0
    assert numbers.findChild(QDoubleSpinBox, "gamma").text() == "1.333333"


def test_a_step_down_from_the_least_number_is_automatic(numbers):
    box = numbers.findChild(QDoubleSpinBox, "minutes")
    box.setValue(box.minimum())
    assert box.text() == "automatic"
    assert numbers.settings().minutes is None


class Tree(Settings):
    depth: Annotated[int, Ge(1), Le(8)] = 4
    rate: Annotated[float, Gt(0)] = 2.0
    dilations: tuple[Annotated[int, Ge(1)], ...] | None = None
    weights: Sequence[Annotated[float, Ge(0)]] | None = None


class Stone(Settings):
    """Nothing may be set about it."""


class Learning(Settings):
    network: str = "auto"
    epochs: int = 3
    network_settings: dict[str, Any] = Field(default_factory=dict)


KINDS = {"tree": Tree, "stone": Stone}


@pytest.fixture
def learning(qtbot):
    parts = {"network": PartChoice([*KINDS], KINDS.__getitem__)}
    form = SettingsForm(Learning, parts=parts)
    qtbot.addWidget(form)
    return form


def write(form, name, text):
    """Write a text and leave its row."""
    line = form.findChild(QLineEdit, name)
    line.setText(text)
    line.editingFinished.emit()


def told(form):
    """What the lines say that tell what is wrong."""
    lines = form.findChildren(QLabel, "settings_problem")
    return " ".join(line.text() for line in lines if not line.isHidden())


def test_nothing_is_sent_of_a_part_that_nobody_touched(learning):
    assert learning.settings() == Learning()
    for name in KINDS:
        learning.set_values(network=name)
        assert learning.settings() == Learning(network=name)


def test_a_chosen_part_shows_its_own_settings(learning):
    assert learning.findChild(QSpinBox, "depth") is None
    learning.set_values(network="tree")
    learning.findChild(QSpinBox, "depth").setValue(2)
    write(learning, "dilations", "1, 2, 8")
    write(learning, "weights", "1, 0.5")
    expected = {"depth": 2, "dilations": (1, 2, 8), "weights": (1.0, 0.5)}
    assert learning.settings().network_settings == expected


def test_settings_go_with_their_part(learning):
    learning.set_values(network="tree", network_settings={"depth": 2})
    learning.set_values(network="stone")
    assert learning.settings().network_settings == {}
    learning.set_values(network="tree")
    assert learning.settings().network_settings == {}


@pytest.mark.parametrize("name", ["auto", "tree"])
def test_settings_of_an_earlier_run_come_back(learning, name):
    given = {"depth": 3, "dilations": [1, 4]}
    learning.show_values({"network_settings": given, "network": name, "more": 1})
    found = learning.settings().network_settings
    assert {**found, "dilations": list(found["dilations"])} == given


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1, two", "dilations: '1, two' is no list of whole numbers"),
        ("1, 2.5", "no list of whole numbers"),
        ("0, 1", "greater than or equal to 1"),
    ],
)
def test_an_entry_that_cannot_be_is_told_and_not_sent(learning, text, words):
    learning.set_values(network="tree")
    heard = []
    learning.changed.connect(lambda: heard.append(learning.values()))
    write(learning, "dilations", text)
    assert words in told(learning)
    assert not heard
    with pytest.raises(SettingsError, match="dilations"):
        learning.settings()
    write(learning, "dilations", "1, 2")
    assert not told(learning)
    assert heard


REAL = {
    "network": (pipeline.TrainingSettings, NETWORKS),
    "encoder": (pipeline.ExploreSettings, ENCODERS),
    "reconstructor": (pipeline.TrainReconstructSettings, RECONSTRUCTORS),
    "restorer": (pipeline.RestoreSettings, [*NETWORKS, *ENCODERS]),
}


@pytest.mark.parametrize("kind", REAL)
def test_every_network_of_a_registry_has_a_form_of_all_its_settings(qtbot, kind):
    settings, registry = REAL[kind]
    parts = part_choices(pipeline, {"network": kind})
    form = SettingsForm(settings, parts=parts)
    qtbot.addWidget(form)
    box = form.findChild(QComboBox, "network")
    assert set(registry) <= {box.itemText(i) for i in range(box.count())}
    for name in registry:
        form.set_values(network=name)
        assert form.values()["network_settings"] == {}
        part = form.findChild(SettingsForm)
        for field in pipeline.part_settings(kind, name).model_fields:
            widget = part.findChild(QWidget, field)
            assert widget.toolTip(), f"{name} does not say what {field} is"


def test_every_loss_has_a_form_of_all_its_settings(qtbot):
    parts = part_choices(pipeline, {"loss": "loss"})
    form = SettingsForm(pipeline.TrainingSettings, parts=parts)
    qtbot.addWidget(form)
    form.set_values(loss="tversky")
    form.findChild(QDoubleSpinBox, "alpha").setValue(0.875)
    assert form.settings().loss_settings == {"alpha": 0.875}
    form.set_values(loss="cross_entropy")
    write(form, "class_weights", "1, 2.5")
    assert form.settings().loss_settings == {"class_weights": (1.0, 2.5)}
