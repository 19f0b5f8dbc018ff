"""Open NAME.sashiko: its image as a layer; the dock brings back what was done to it."""

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QTimer

from napari_sashiko.errors import LabelError, SashikoError
from napari_sashiko.gui.label_layer import class_colormap
from napari_sashiko.gui.layer_volume import PROJECT
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.menu import open_dock
from napari_sashiko.gui.messages import notify
from napari_sashiko.gui.reader import instance_layers, locked, prediction_layers
from napari_sashiko.gui.volume_reader import NOTHING, LayerData, image_layer
from napari_sashiko.labels import LabelStore, holds_paint

AXES = ("z", "y", "x")


def read_project(path: str | list[str]) -> list[LayerData]:
    """Image of a project; without it, paint and results as far as they are whole.

    Once the image is shown, the dock opens and restores paint, model and results.
    """
    folder = Path(path if isinstance(path, str) else path[0]).absolute()
    engine = import_module("napari_sashiko.pipeline")
    viewer = napari.current_viewer()
    try:
        found = engine.project_image(folder)
        volume = found.volume
        if volume is not None:
            layers = [image_layer([volume], {PROJECT: _project(volume, folder)})]
            if viewer is not None:
                _when_shown(viewer, folder)
        else:
            layers = whole_layers(engine, found)
            if viewer is not None:
                QTimer.singleShot(0, partial(_expect, viewer, found))
    except SashikoError as error:
        notify(str(error), "error")
        return NOTHING
    if found.odd:
        notify(found.odd, "warning")
    return layers or NOTHING


def whole_layers(engine: Any, found: Any) -> list[LayerData]:
    """Paint and last results of a project whose image is not there."""
    project = found.project
    layers: list[LayerData] = []
    openers = (
        (engine.open_prediction, project.latest("predict", project.predictions()),
         prediction_layers),
        (engine.open_instances, project.latest("instances", project.instances()),
         instance_layers),
    )  # fmt: skip
    for opened, paths, as_layers in openers:
        for path in paths[:1]:
            try:
                layers += as_layers(opened(path))
            except SashikoError as error:
                notify(str(error), "warning")
    try:
        layers += paint_layers(project.folder / "labels", project.record.facts)
    except LabelError as error:
        notify(str(error), "warning")
    return locked(layers)


def paint_layers(folder: Path, facts: Any) -> list[LayerData]:
    """The paint of a project, to be looked at."""
    if not holds_paint(folder):
        return []
    store = LabelStore.open(folder, readonly=True)
    flat = store.shape[0] == 1
    array = np.asarray(store.array)
    look = {
        "name": f"{folder.parent.stem} - labels",
        "colormap": class_colormap(store.classes),
    }
    if facts is not None:
        look |= _place(facts.voxel_size, facts.unit, 2 if flat else 3)
    return [(LazyArray(array[0] if flat else array), look, "labels")]


def _when_shown(viewer: Any, folder: Path) -> None:
    """Restore the project once napari has made its layer."""

    def on_inserted(event: Any) -> None:
        layer = event.value
        if layer.metadata.get(PROJECT, {}).get("folder") == str(folder):
            viewer.layers.events.inserted.disconnect(on_inserted)
            QTimer.singleShot(0, partial(_restore, viewer, layer))

    viewer.layers.events.inserted.connect(on_inserted)


def _restore(viewer: Any, layer: Any) -> None:
    if layer in viewer.layers:
        open_dock(viewer).show_project(layer)


def _expect(viewer: Any, found: Any) -> None:
    """Know the image of a project again when it is opened from elsewhere."""
    facts = found.project.record.facts
    if facts is not None:
        open_dock(viewer).session.projects.expect(facts.digest, found.project.folder)


def _project(volume: Any, folder: Path) -> dict[str, Any]:
    """Which project an image was opened from."""
    path = None if volume.path is None else str(volume.path)
    return {"folder": str(folder), "image": path}


def _place(size: tuple[float, ...], unit: str, ndim: int) -> dict[str, Any]:
    return {
        "scale": tuple(size)[-ndim:],
        "units": (unit or "pixel",) * ndim,
        "axis_labels": AXES[-ndim:],
    }
