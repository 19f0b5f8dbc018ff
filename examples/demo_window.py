"""Show a sample with its results in napari and take a picture of the window.

    python examples/demo_window.py FOLDER PICTURE [--stay]

`FOLDER` is what `python3 run.py demo` wrote: the sample's image and strokes, the
prediction and the instances.
"""

import argparse
import json
from pathlib import Path

import napari
import numpy as np
import zarr
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtTest import QTest

from napari_sashiko.gui import SashikoDock
from napari_sashiko.gui.label_layer import KEY
from napari_sashiko.volumes import open_volume

SIZE = (1600, 1000)


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--stay", action="store_true", help="keep the window open")
    options = parser.parse_args()
    viewer = napari.Viewer(title="napari-sashiko")
    viewer.window.resize(*SIZE)
    show(viewer, options.folder)
    QTest.qWait(2000)  # textures and the dock's first look at the volume
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    viewer.screenshot(str(options.picture), canvas_only=False, flash=False)
    if options.stay:
        napari.run()
    else:
        viewer.close()


def show(viewer, folder):
    """Add image, probability, uncertainty, classes, strokes and instances."""
    volume = open_volume(folder / "sample/image.tif")
    place = {"scale": volume.voxel_size, "units": volume.unit}
    done = {**place, "metadata": {KEY: {"role": "result"}}}
    viewer.add_image(
        open_whole(volume), name="fibres", metadata={"path": str(volume.path)}, **place
    )
    classes = json.loads((folder / "sample/labels.classes.json").read_text())
    fibre = next(i for i, each in enumerate(classes) if each["name"] == "fibre")
    result = zarr.open_group(folder / "fibres.zarr", mode="r")
    unit = {"contrast_limits": (0, 1), "blending": "additive", "visible": False}
    for name, colours in (("mean", "yellow"), ("std", "magma")):
        data = np.asarray(result[f"{name}/0"][fibre], np.float32)
        title = f"fibres - {name} fibre"
        viewer.add_image(data, name=title, colormap=colours, **unit, **done)
    colours = {each["id"]: each["color"] for each in classes}
    for path, title, shown in (
        ("fibres.zarr/classes/0", "fibres - classes", False),
        ("sample/labels.tif", "strokes", False),
        ("fibres-instances.zarr/labels/0", "fibres - instances", True),
    ):
        data = read_labels(folder / path)
        layer = viewer.add_labels(data, name=title, visible=shown, **done)
        if title != "fibres - instances":
            layer.colormap = DirectLabelColormap(
                color_dict={None: "transparent", 0: "transparent", **colours}
            )
    viewer.dims.set_current_step(0, volume.shape[0] // 2)
    viewer.window.add_dock_widget(SashikoDock(viewer), name="Sashiko", area="right")


def open_whole(volume):
    """Read a small volume; shape `(Z, Y, X)`."""
    return volume.read(tuple(slice(0, n) for n in volume.shape))[0]


def read_labels(path):
    """Read a label image of TIFF or zarr; shape `(Z, Y, X)`."""
    if path.suffix == ".tif":
        return open_whole(open_volume(path)).astype(np.uint8)
    return np.asarray(zarr.open_array(path, mode="r")[:])


if __name__ == "__main__":
    main()
