"""Make the pictures of the tutorial by driving the real napari window.

    python docs/make_screenshots.py [FOLDER] [--epochs N] [--only tutorial|docks]

On a machine without a screen:

    xvfb-run -a -s "-screen 0 1700x1020x24" python docs/make_screenshots.py

One session from the open sample to the selected fibre: buttons are clicked, strokes go
through the mouse callbacks of the label layer, and after each step the window is
written to ``FOLDER`` (``docs/images`` when left out). Training is shorter than by
default, so that the pictures are made in a few minutes; all other settings are those of
the dock. Two more sessions show the docks that reconstruct volumes and learn from
folders of pictures.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

# Before napari is imported: the pictures show its default settings, not the user's.
os.environ["NAPARI_CONFIG"] = ""
os.environ.setdefault("QT_API", "pyside6")

import napari
import numpy as np
from napari.utils._test_utils import read_only_mouse_event
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QDoubleSpinBox, QScrollArea
from scipy import ndimage

from napari_sashiko.gui.menu import open_dock
from napari_sashiko.gui.status_line import StatusLine
from napari_sashiko.gui.train_step import AT_REST
from napari_sashiko.pipeline import load_sample

IMAGES = Path(__file__).parent / "images"
BEST = "6-instances.png"  # also the picture of the README
SIZE = (1680, 1000)
COMMON, RARE = 160, 96  # colours of a picture: by their area, and all alike
SLICE = 40  # where the two strokes are painted; the sample has none there
FIBRE, CEMENT = 2, 1
BRUSH = 3
LONGEST = 50  # voxels of a stroke
DUST = 200  # voxels
ROW = 3  # of the table, from 0
TESTED = 4  # every so many pictures is kept for the test
SECONDS = 900  # longest wait for a step


def main():
    """Play the session."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=IMAGES)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--only", choices=("tutorial", "docks"))
    options = parser.parse_args()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["SASHIKO_HOME"] = home
        if options.only != "docks":
            play(folder, options.epochs)
        if options.only != "tutorial":
            reconstruct(folder)
            segment_pictures(folder, options.epochs, Path(home))


def play(folder, epochs):
    """Open, label, train, segment, count, select; a picture after each step."""
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    stage = Stage(viewer, folder)
    stage.open_sample()
    stage.label()
    stage.train(epochs)
    stage.segment()
    stage.find_instances()
    stage.select_row()
    shutil.copyfile(folder / BEST, folder / "plugin.png")
    viewer.close()


def reconstruct(folder):
    """Sinograms to slices by back-projection."""
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    stage = Stage(viewer, folder)
    viewer.open_sample("napari-sashiko", "sinograms")
    viewer.layers.selection.active = viewer.layers["sinograms"]
    stage.open_dock("Sashiko reconstruct")
    stage.click("reconstruct")
    stage.wait(lambda: stage.ended("reconstruct"))
    stage.take("reconstruct-dock.png")
    viewer.close()


def segment_pictures(folder, epochs, home):
    """Micrographs with labels: look, train, segment, score."""
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    stage = Stage(viewer, folder)
    form = stage.open_dock("Sashiko pictures").form
    write_pictures(home / "micrographs")
    os.chdir(home)  # a short path in the picture
    form.folder.show_path(Path("micrographs"))
    stage.wait(lambda: stage.dock.found is not None)
    form.target.show_path(Path("micrographs", "test"))
    form.more.setChecked(True)
    form.settings.set_values(epochs=epochs, members=1)
    form.more.setChecked(False)
    for button in ("train_pictures", "apply", "evaluate"):
        stage.click(button)
        stage.wait(lambda: stage.ended("pictures"))
    stage.click("show_pictures")
    stage.take("pictures-dock.png")
    viewer.close()


def write_pictures(folder):
    """Write dendrites as pictures with labels."""
    sample = load_sample("dendrites")
    for number, (grey, truth) in enumerate(
        zip(sample.image, sample.truth, strict=True)
    ):
        part = "test" if number % TESTED == 0 else "train"
        low, high = np.percentile(sample.image, (0.1, 99.9))
        shown = ((grey - low) / (high - low)).clip(0, 1) * 255
        for kind, pixels in (("images", shown), ("labels", truth)):
            place = folder / part / kind
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(place / f"{number:02}.png")


class Stage:
    """The window, the dock and where pictures go.

    Parameters
    ----------
    viewer : napari.Viewer
        With nothing in it.
    folder : Path
        For the pictures.
    """

    def __init__(self, viewer, folder):
        self.viewer = viewer
        self.folder = folder
        self.dock = None

    def open_dock(self, name):
        """Plugins > Sashiko > another dock."""
        _, self.dock = self.viewer.window.add_plugin_dock_widget("napari-sashiko", name)
        self.wait(lambda: "warm" not in self.dock.session.board.running())
        return self.dock

    # ---- the steps --------------------------------------------------------------

    def open_sample(self):
        """File > Open Sample > Sashiko > Fibres, Plugins > Sashiko > Sashiko."""
        self.viewer.open_sample("napari-sashiko", "fibres")
        self.viewer.layers.selection.active = self.viewer.layers["fibres"]
        strokes = np.asarray(self.viewer.layers["fibres - strokes"].data)
        painted = np.flatnonzero(strokes.any(axis=(1, 2)))
        self.viewer.dims.set_current_step(0, int(painted[len(painted) // 2]))
        self.dock = open_dock(self.viewer)
        self.wait(lambda: "warm" not in self.dock.session.board.running())
        self.take("1-open.png", self.dock.label)

    def label(self):
        """Adopt the strokes of the sample and add two of one's own."""
        self.click("adopt_labels")
        self.wait(lambda: self.dock.label.layer is not None)
        layer = self.dock.label.layer
        layer.brush_size = BRUSH
        self.viewer.dims.set_current_step(0, SLICE)
        truth = load_sample("fibres").truth[SLICE]
        row = 0
        for label_class in (FIBRE, CEMENT):
            self.dock.label.pick(label_class)
            # The second one below the first: both sides of a border.
            here = (truth == label_class) & (np.arange(len(truth)) >= row)[:, None]
            row, begin, end = longest_run(here)
            self.stroke(layer, (SLICE, row, begin), (SLICE, row, end))
        self.wait(lambda: not self.dock.session.labels.paint.dirty)
        self.take("2-label.png", self.dock.label)

    def train(self, epochs):
        """Press Train; one picture on the way, one at the end."""
        train = self.dock.train
        train.ensure_form()
        train.form.set_values(epochs=epochs)
        self.click("train")
        self.wait(lambda: self.points() >= 3 * epochs // 2 and self.previewed())
        self.take("3-train.png", train)
        self.wait(lambda: train.state.text() == AT_REST)
        self.take("4-trained.png", train)
        self.click("stop_training")

    def segment(self):
        """Press Segment volume."""
        button = self.button("segment_volume")
        self.wait(button.isEnabled)
        self.wait(lambda: self.dock.segment.cost.estimate is not None)
        button.click()
        self.wait(lambda: self.ended("predict"))
        self.wait(lambda: self.dock.instances.sizes is not None)
        self.take("5-segment.png", self.dock.segment)

    def find_instances(self):
        """Set the dust size, press Find instances."""
        self.dock.findChild(QDoubleSpinBox, "dust").setValue(DUST)
        self.click("find_instances")
        self.wait(lambda: self.dock.instances.form.table.rows is not None)
        self.take(BEST, self.dock.instances)

    def select_row(self):
        """Click on a row of the table."""
        table = self.dock.instances.form.table
        cell = table.visualRect(table.model().index(ROW, 0)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell)
        self.take("7-select.png", self.dock.instances)

    # ---- the hand ---------------------------------------------------------------

    def button(self, name):
        """Return the button of this object name."""
        found = self.dock.findChild(QAbstractButton, name)
        if found is None:
            raise LookupError(f"There is no button {name!r} in the dock.")
        return found

    def click(self, name):
        """Click a button that can be clicked."""
        button = self.button(name)
        self.wait(button.isEnabled)
        button.click()

    def stroke(self, layer, begin, end):
        """Press, drag, release: a straight stroke in voxels of the layer."""
        common = {
            "view_direction": None,
            "up_direction": None,
            "dims_displayed": [1, 2],
        }
        first, last = layer.data_to_world(begin), layer.data_to_world(end)
        press = read_only_mouse_event(type="mouse_press", position=first, **common)
        move = read_only_mouse_event(
            type="mouse_move", position=last, is_dragging=True, **common
        )
        release = read_only_mouse_event(type="mouse_release", position=last, **common)
        mouse_press_callbacks(layer, press)
        mouse_move_callbacks(layer, move)
        mouse_release_callbacks(layer, release)

    # ---- the eye ----------------------------------------------------------------

    def take(self, name, step=None):
        """Bring a step of the dock into view and write the window as a small PNG."""
        QTest.qWait(1500)  # thumbnails and plots are drawn a little later
        scroll = self.dock.findChild(QScrollArea)
        bar = scroll.verticalScrollBar()
        bottom = 0 if step is None else step.geometry().bottom() + 8
        bar.setValue(max(0, bottom - scroll.viewport().height()))
        QTest.qWait(300)
        pixels = self.viewer.screenshot(canvas_only=False, flash=False)
        small = with_few_colours(np.ascontiguousarray(pixels[..., :3]))
        small.save(self.folder / name, optimize=True)

    def wait(self, ready):
        """Let the window live until something is so."""
        end = time.monotonic() + SECONDS
        while not ready():
            line = self.status()
            if line is not None and line.level == "error":
                raise RuntimeError(line.text())
            if time.monotonic() > end:
                raise TimeoutError("The window did not get there in time.")
            QTest.qWait(50)

    def status(self):
        """Return the line of the dock that tells of errors; None without a dock."""
        return None if self.dock is None else self.dock.findChild(StatusLine)

    def points(self):
        """Epochs that the curve of the loss shows, of all networks."""
        return sum(len(line) for line in self.dock.train.plots.loss.lines.values())

    def previewed(self):
        """Whether the slice in view is segmented."""
        return "fibres - preview" in self.viewer.layers

    def ended(self, kind):
        """Whether a job has come to its end."""
        job = self.dock.session.job(kind)
        return job is not None and job.status.state == "done"


def longest_run(mask):
    """Return row, first and last column of the longest run that a brush fits into."""
    inside = ndimage.binary_erosion(mask, iterations=BRUSH // 2 + 1)
    best = (0, 0, 0)
    for row, line in enumerate(inside):
        edges = np.flatnonzero(np.diff(np.pad(line.astype(np.int8), 1)))
        for begin, end in edges.reshape(-1, 2):
            length = min(end - begin, LONGEST)
            if length > best[2] - best[1]:
                best = (row, int(begin), int(begin + length))
    row, begin, end = best
    return row, begin, end - 1


def with_few_colours(pixels):
    """Return a picture of a palette that also holds colours of small things.

    Parameters
    ----------
    pixels : numpy.ndarray
        ``(Y, X, 3)`` uint8.
    """
    picture = Image.fromarray(pixels)
    kinds = np.unique(pixels.reshape(-1, 3) & 0xF0, axis=0)[None] + np.uint8(8)
    found = [
        *picture.quantize(COMMON).getpalette()[: 3 * COMMON],
        *Image.fromarray(kinds).quantize(RARE).getpalette()[: 3 * RARE],
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette(found)
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
