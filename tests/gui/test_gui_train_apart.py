"""Training where the window has loaded a graphics driver before."""

import importlib.util
import subprocess
import sys

import pytest

pytestmark = pytest.mark.gui
WINDOW_FIRST = """
import sys

from qtpy.QtGui import QOffscreenSurface, QOpenGLContext
from qtpy.QtWidgets import QApplication

app = QApplication([])
context, surface = QOpenGLContext(), QOffscreenSurface()
assert context.create()
surface.setFormat(context.format())
surface.create()
assert context.makeCurrent(surface)

import numpy as np

import napari_sashiko as ns

rng = np.random.default_rng(0)
image = rng.normal(0, 0.1, (4, 48, 48)).astype(np.float32)
image[:, 24:] += 1
paint = np.zeros(image.shape, np.uint8)
paint[1, 5:8, 5:40] = paint[3, 12:15, 5:40] = 1
paint[1, 40:43, 5:40] = paint[3, 32:35, 5:40] = 2
ns.train(image, paint, sys.argv[1], epochs=1, members=1, patch=16, device="cpu")
print("lives")
"""


@pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="this torch brings no triton",
)
def test_training_does_not_crash_where_a_window_was_opened_first(tmp_path):
    command = [sys.executable, "-c", WINDOW_FIRST, str(tmp_path / "m.sashiko-model")]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120
    )
    assert "lives" in done.stdout, done.stderr
