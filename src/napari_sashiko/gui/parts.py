"""Small widgets that all steps are put together from, with the names that find them."""

from collections.abc import Iterable, Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QWidget,
)
from superqt.utils import signals_blocked


def make_button(name: str, text: str, tip: str) -> QPushButton:
    """Make a button with a tooltip."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setToolTip(tip)
    return made


def make_line(name: str, *, hidden: bool = True) -> QLabel:
    """Make a label for sentences, which wrap; hidden until there is one."""
    made = QLabel()
    made.setObjectName(name)
    made.setWordWrap(True)
    made.setVisible(not hidden)
    return made


def make_box(
    name: str,
    tip: str,
    items: Mapping[str, Any] | None = None,
    tips: Mapping[str, str] | None = None,
) -> QComboBox:
    """Make a box to choose from; a long text is cut rather than push the dock wider.

    Parameters
    ----------
    items : mapping, optional
        What there is to choose, with its text.
    tips : mapping, optional
        What the texts are too short for.
    """
    made = QComboBox()
    made.setObjectName(name)
    made.setToolTip(tip)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    for place, (key, text) in enumerate((items or {}).items()):
        made.addItem(text, key)
        if tips and key in tips:
            made.setItemData(place, tips[key], Qt.ItemDataRole.ToolTipRole)
    return made


def fill_box(box: QComboBox, items: Iterable[tuple[str, Any]]) -> None:
    """List other things in a box, silently; what was chosen stays if it is there."""
    chosen, is_new = box.currentData(), box.count() == 0
    found = list(items)
    with signals_blocked(box):
        box.clear()
        for text, data in found:
            box.addItem(text, data)
        # Layers and paths have no order of equality with Qt's variants.
        places = [place for place, (_, data) in enumerate(found) if data == chosen]
        if places and not is_new:
            box.setCurrentIndex(places[0])


def choose_data(box: QComboBox, wanted: Any) -> None:
    """Choose what a box holds as this, if it does."""
    for place in range(box.count()):
        if box.itemData(place) == wanted:
            box.setCurrentIndex(place)


def say(line: QLabel, text: str) -> None:
    """Say a sentence in a line of its own, which is there as long as there is one."""
    line.setText(text)
    line.setVisible(bool(text))


def in_a_row(*widgets: QWidget | None, widest: int = 0) -> QHBoxLayout:
    """Put widgets beside each other; None leaves room, `widest` takes what is left."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    for place, widget in enumerate(widgets):
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget, 1 if widest and place == widest - 1 else 0)
    return row


def boxed(layout: QBoxLayout) -> QWidget:
    """Make a widget of a layout, so that it can be hidden."""
    made = QWidget()
    layout.setContentsMargins(0, 0, 0, 0)
    made.setLayout(layout)
    return made


def scrolling(inner: QWidget) -> QScrollArea:
    """Put a widget into an area that scrolls down: docks of napari do not."""
    made = QScrollArea()
    made.setWidgetResizable(True)
    made.setFrameShape(QFrame.Shape.NoFrame)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setWidget(inner)
    return made
