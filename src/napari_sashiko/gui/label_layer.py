"""A Labels layer on the label store: class colours, names, Shift+digit."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_sashiko.gui.layer_volume import placement
from napari_sashiko.gui.paint_view import PaintView
from napari_sashiko.labels import LabelClass, default_classes
from napari_sashiko.session import Paint
from napari_sashiko.volumes import Stacking

KEY = "napari_sashiko"
MOST_DIGITS = 9
BRUSH = 6


def label_layer_name(image: Any) -> str:
    """Name of the label layer of an image."""
    return f"{image.name} - labels"


def find_label_layer(viewer: Any, paint: Paint) -> Any:
    """Return the layer that shows this paint, or None."""
    for layer in viewer.layers:
        if layer.metadata.get(KEY, {}).get("store") is paint.store:
            return layer
    return None


def left_over_paint(viewer: Any, folder: Any) -> Paint | None:
    """Paint of a project whose layer outlived the dock that made it."""
    layers = project_layers(viewer, folder)
    return layers[0].metadata[KEY]["paint"] if layers else None


def project_layers(viewer: Any, folder: Any) -> list[Any]:
    """Layers that show paint of a project."""
    known = [(layer, layer.metadata.get(KEY, {})) for layer in viewer.layers]
    return [
        layer
        for layer, facts in known
        if facts.get("project") == str(folder) and "paint" in facts
    ]


def disown_copies(viewer: Any) -> list[Any]:
    """Find layers that napari has copied from a label layer, and part them from it.

    A copy has voxels of its own, but says of itself all that its original says: what is
    painted on it would be taken for paint that is kept, and be lost.

    Returns
    -------
    list of layer
        Those that were found; labels of others from now on.
    """
    found = []
    for layer in viewer.layers:
        facts = layer.metadata.get(KEY, {})
        if "paint" in facts and not _shows(layer.data, facts["store"].array):
            del layer.metadata[KEY]
            found.append(layer)
    return found


def _shows(data: Any, array: Any) -> bool:
    if isinstance(data, PaintView):
        return data.shows(array)
    return isinstance(data, np.ndarray) and np.may_share_memory(data, array)


def add_label_layer(
    viewer: Any, image: Any, paint: Paint, project: Any, stack: Stacking
) -> Any:
    """Add a label layer where the image lies and make it ready to paint on."""
    array, ndim = paint.store.array, len(stack.axes)
    data = array if ndim == 3 else PaintView(array, stack)
    layer = Labels(
        data,
        name=label_layer_name(image),
        opacity=0.6,
        metadata={KEY: {"store": paint.store, "paint": paint, "project": str(project)}},
        **placement(image, ndim),
    )
    viewer.add_layer(layer)
    show_classes(layer, paint.classes)
    layer.brush_size = BRUSH
    layer.selected_label = paint.classes[0].id if paint.classes else 1
    layer.mode = "paint"
    viewer.layers.selection.active = layer
    return layer


def show_classes(layer: Any, classes: tuple[LabelClass, ...]) -> None:
    """Give a label layer the colours and names of the classes."""
    layer.colormap = class_colormap(classes)
    layer.features = {
        "index": [0, *(c.id for c in classes)],
        "class": ["not labelled", *(c.name for c in classes)],
    }


def class_colormap(classes: tuple[LabelClass, ...]) -> DirectLabelColormap:
    """Colours of the classes; 0 and unknown ids are transparent."""
    colours: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    colours.update({c.id: c.color for c in classes})
    return DirectLabelColormap(color_dict=colours)


def warm_colours() -> None:
    """Map colours once: napari compiles that code at its first use, for seconds."""
    class_colormap(default_classes(2)).map(np.zeros((1, 1), np.uint8))


def bind_digits(layer: Any, pick: Callable[[int], None]) -> None:
    """Let Shift+1..9 on this layer call `pick`; plain digits stay napari's."""

    def binding(number: int) -> Callable[[Any], None]:
        def pick_this(_layer: Any) -> None:
            pick(number)

        return pick_this

    for number in range(1, MOST_DIGITS + 1):
        layer.bind_key(f"Shift-{number}", binding(number), overwrite=True)
