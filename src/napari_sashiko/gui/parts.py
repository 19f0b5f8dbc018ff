"""Small widgets that all steps are put together from, with the names that find them."""

from qtpy.QtWidgets import QLabel, QPushButton


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
