"""A sentence is shown by the thread of the window, whoever says it."""

import threading

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.messages import notify

pytestmark = pytest.mark.gui
MANY = 50


@pytest.fixture
def heard(qapp):
    """What napari is told to show: (sentence, level, thread)."""
    told = []

    def listen(event):
        level = event.severity.value
        told.append((event.message, level, threading.current_thread()))

    notification_manager.notification_ready.connect(listen)
    yield told
    notification_manager.notification_ready.disconnect(listen)


def in_thread(func):
    thread = threading.Thread(target=func)
    thread.start()
    return thread


def test_sentences_of_other_threads_are_shown_by_that_of_the_window(heard, qtbot):
    def speak():
        for number in range(MANY):
            notify(f"picture {number}", "warning")

    threads = [in_thread(speak) for _ in range(4)]
    qtbot.waitUntil(lambda: len(heard) == 4 * MANY)
    for thread in threads:
        thread.join()
    assert {level for _, level, _ in heard} == {"warning"}
    assert {thread for *_, thread in heard} == {threading.main_thread()}
    assert heard[0][0] == "picture 0"


def test_the_window_itself_is_answered_at_once(heard):
    notify("no such file", "error")
    notify("saved", "info")
    main = threading.main_thread()
    assert heard == [("no such file", "error", main), ("saved", "info", main)]


class Damaged:
    shape = (3, 4, 5)
    dtype = np.dtype(np.uint8)

    def __getitem__(self, key):
        raise OSError("chunk 2 cannot be decoded")


def test_what_is_damaged_is_found_in_a_thread_that_draws(heard, qtbot):
    layer = LazyArray(Damaged())
    drawn = []
    thread = in_thread(lambda: drawn.append(np.asarray(layer[1])))
    qtbot.waitUntil(lambda: bool(heard))
    thread.join()
    text, level, where = heard[0]
    assert "chunk 2 cannot be decoded" in text
    assert (level, where) == ("warning", threading.main_thread())
    np.testing.assert_array_equal(drawn[0], np.zeros((4, 5)))
