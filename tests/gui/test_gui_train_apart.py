"""Training where the window has loaded a graphics driver before."""

import importlib.util
import subprocess
import sys

import pytest

pytestmark = pytest.mark.gui
WINDOW_FIRST = """
from qtpy.QtGui import QOffscreenSurface, QOpenGLContext
from qtpy.QtWidgets import QApplication

app = QApplication([])
context, surface = QOpenGLContext(), QOffscreenSurface()
assert context.create()
surface.setFormat(context.format())
surface.create()
assert context.makeCurrent(surface)

from napari_sashiko.runners import load_apart

load_apart("triton._C.libtriton")
import torch

torch.optim.AdamW(torch.nn.Linear(2, 2).parameters())
print("lives")
"""


@pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="this torch brings no triton",
)
def test_training_does_not_crash_where_a_window_was_opened_first():
    command = [sys.executable, "-c", WINDOW_FIRST]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120
    )
    assert "lives" in done.stdout, done.stderr
