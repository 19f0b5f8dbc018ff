"""Show a sample with its results in napari and take a picture of the window.

    python examples/demo_window.py FOLDER PICTURE [--stay]

`FOLDER` is what `python3 run.py demo` wrote: the sample as TIFF files and, beside the
image, its project with model and prediction, where the dock finds them. The objects are
then searched with the dock's own button.
"""

import argparse
import json
import time
from pathlib import Path

import napari
from qtpy.QtTest import QTest

from napari_sashiko.gui.label_layer import class_colormap
from napari_sashiko.gui.menu import open_dock
from napari_sashiko.gui.result_layers import ResultLayers
from napari_sashiko.pipeline import LabelClass, open_image, open_prediction

SIZE = (1600, 1000)
PERCENTILES = (0.5, 99.5)
SECONDS = 300  # longest wait for the objects


def main():
    """Open the window, fill it, take the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--stay", action="store_true", help="keep the window open")
    options = parser.parse_args()
    viewer = napari.Viewer(title="napari-sashiko")
    viewer.window.resize(*SIZE)
    image = show_sample(viewer, options.folder)
    show_results(viewer, image, options.folder / "image.tif.sashiko")
    QTest.qWait(1500)  # thumbnails and the histogram are drawn a little later
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    viewer.screenshot(str(options.picture), canvas_only=False, flash=False)
    if options.stay:
        napari.run()
    else:
        viewer.close()


def show_sample(viewer, folder):
    """Add image and strokes; return the image's layer."""
    volume = open_image(folder / "image.tif")
    place = {
        "scale": volume.voxel_size,
        "units": (volume.unit,) * 3,
        "axis_labels": ("z", "y", "x"),
    }
    (image,) = viewer.open(folder / "image.tif", name="fibres", **place)
    image.reset_contrast_limits()
    rows = json.loads((folder / "labels.classes.json").read_text())
    (strokes,) = viewer.open(
        folder / "labels.tif", layer_type="labels", name="fibres - strokes", **place
    )
    strokes.colormap = class_colormap(tuple(LabelClass(**row) for row in rows))
    viewer.dims.set_current_step(0, volume.shape[0] // 2)
    return image


def show_results(viewer, image, project):
    """Open the dock, show the prediction, press *Find instances* and wait."""
    viewer.layers.selection.active = image
    dock = open_dock(viewer)
    results = ResultLayers(viewer, image, dock)
    results.show(open_prediction(project / "predictions" / "fibres.zarr"))
    results.finish()
    wait_until(lambda: dock.instances.prediction is not None)
    dock.instances.form.find_button.click()
    wait_until(lambda: dock.instances.form.table.rows is not None)
    viewer.layers["fibres - classes"].visible = False


def wait_until(ready):
    """Let the window live until something is so."""
    end = time.monotonic() + SECONDS
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError("The window did not show the objects in time.")
        QTest.qWait(50)


if __name__ == "__main__":
    main()
