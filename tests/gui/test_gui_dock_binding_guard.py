"""A binding that loses references cannot take the window down."""

import sys

import pytest
from qtpy.QtCore import QObject

from napari_sashiko.gui.binding_guard import PLENTY, guard_constants

pytestmark = pytest.mark.gui


def test_constants_survive_many_calls():
    guard_constants()
    probe = QObject()
    for _ in range(200_000):
        probe.setObjectName("x")
    if sys.version_info < (3, 12):
        before = sys.getrefcount(None)
        probe.setObjectName("y")
        loses = sys.getrefcount(None) < before
        assert not loses or before > PLENTY // 2
