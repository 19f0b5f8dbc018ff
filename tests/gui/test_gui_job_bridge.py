"""Jobs are mirrored in napari's activity dock, without disturbing who starts them."""

import time

import pytest
from napari.utils import progress
from qtpy.QtWidgets import QApplication

from napari_sashiko.gui import job_bridge
from napari_sashiko.runners import Message, Progress

pytestmark = pytest.mark.gui
WAIT = 30_000


class Busy(progress):
    """A bar that is made slowly: Qt events are processed meanwhile."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)


def work():
    """Say something at once."""
    yield Message("first")
    yield Progress(done=1, total=2, what="half")
    time.sleep(1)


def test_no_event_arrives_before_the_start_has_returned(dock, qtbot, monkeypatch):
    monkeypatch.setattr(job_bridge, "progress", Busy)
    heard = []
    dock.session.event.connect(lambda kind, event: heard.append((kind, event)))
    dock.session.start("predict", work)
    assert not heard
    qtbot.waitUntil(lambda: ("predict", Message("first")) in heard, timeout=WAIT)
    qtbot.waitUntil(lambda: not dock.session.is_running("predict"), timeout=WAIT)


def test_a_bar_follows_a_job_and_goes_with_it(dock, qtbot):
    before = set(progress._all_instances)

    def bars():
        return [bar.n for bar in set(progress._all_instances) - before]

    dock.session.start("predict", work)
    qtbot.waitUntil(lambda: bars() == [job_bridge.STEPS // 2], timeout=WAIT)
    qtbot.waitUntil(lambda: bars() == [], timeout=WAIT)


def test_a_dock_that_closes_while_a_bar_is_made_leaves_none(dock, qtbot, monkeypatch):
    before = set(progress._all_instances)

    class Closing(progress):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            dock.shutdown()

    monkeypatch.setattr(job_bridge, "progress", Closing)
    dock.session.start("predict", work)
    qtbot.waitUntil(lambda: dock.session.closed, timeout=WAIT)
    qtbot.wait(300)
    assert set(progress._all_instances) == before
