"""A dock shuts down when its window closes, not when somebody thinks better of it."""

from types import SimpleNamespace

import pytest
from qtpy.QtCore import QEvent

pytestmark = pytest.mark.gui


def by_the_frame(kind, *, spontaneous=True):
    """An event as a window gets it from the screen: Qt cannot be asked to make one."""
    return SimpleNamespace(type=lambda: kind, spontaneous=lambda: spontaneous)


def test_a_close_that_was_taken_back_leaves_the_dock_at_work(dock, click, stroke):
    watch, window = dock._watch, dock.viewer.window._qt_window
    watch.eventFilter(window, by_the_frame(QEvent.Type.Close))
    watch.eventFilter(window, by_the_frame(QEvent.Type.Paint))
    # Another workspace of the desktop hides a window, too.
    watch.eventFilter(window, by_the_frame(QEvent.Type.Hide))
    click(dock, "start_labelling")
    stroke(dock.label.layer, (2, 10, 10), (2, 10, 30))
    assert dock.session.labels.paint.counts()[1] > 0
    assert not dock.session.closed


def test_a_window_that_went_shuts_its_dock_down(dock, click):
    click(dock, "start_labelling")
    watch, window = dock._watch, dock.viewer.window._qt_window
    watch.eventFilter(window, by_the_frame(QEvent.Type.Close))
    assert not dock.session.closed
    watch.eventFilter(window, by_the_frame(QEvent.Type.Hide, spontaneous=False))
    assert dock.session.closed
