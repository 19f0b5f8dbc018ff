"""Labels layers of others: which there are, their array, names and colours."""

from typing import Any

from napari.layers import Labels
from qtpy.QtGui import QColor

from napari_sashiko.errors import LabelError
from napari_sashiko.gui.label_layer import KEY
from napari_sashiko.gui.layer_volume import full_resolution
from napari_sashiko.labels import LabelClass
from napari_sashiko.volumes import Slices, Stacking, first_of


def foreign_labels(viewer: Any) -> list[Any]:
    """Labels layers that this plugin did not make."""
    return [
        layer
        for layer in viewer.layers
        if isinstance(layer, Labels) and KEY not in layer.metadata
    ]


def spatial_labels(layer: Any, stack: Stacking) -> Any:
    """Labels as (Z, Y, X), finest level; frames of a time series one by one.

    Raises
    ------
    LabelError
        If there is a further axis longer than one.
    """
    data = full_resolution(layer)
    extra = len(data.shape) - len(stack.axes)
    if extra > 0 and max(data.shape[:extra]) > 1:
        raise LabelError(
            f"{layer.name} has {len(data.shape)} axes, shape {tuple(data.shape)}.",
            "Choose labels with the axes of the image.",
        )
    if extra > 0:
        data = first_of(data, extra)
    if len(stack.axes) == 4 and data.shape == stack.on_disk:
        return Slices(data, stack.axes)
    return data[None] if stack.axes == "yx" else data


def classes_of(layer: Any, found: tuple[LabelClass, ...]) -> tuple[LabelClass, ...]:
    """Names and colours that the layer gives to the classes found in it."""
    names = _names(layer)
    known: set[str] = set()
    classes = []
    for each in found:
        name = names.get(each.id, each.name)
        name = each.name if name in known else name
        known.add(name)
        color = _color(layer, each.id) or each.color
        classes.append(each.model_copy(update={"name": name, "color": color}))
    return tuple(classes)


def _names(layer: Any) -> dict[int, str]:
    table = layer.features
    columns = [c for c in ("class", "name", "label") if c in table.columns]
    if not columns:
        return {}
    index = table["index"] if "index" in table.columns else table.index
    pairs = zip(index, table[columns[0]], strict=True)
    return {int(i): str(name) for i, name in pairs}


def _color(layer: Any, class_id: int) -> str | None:
    rgba = layer.get_color(class_id)
    if rgba is None or rgba[3] == 0:
        return None
    return QColor.fromRgbF(*(float(v) for v in rgba[:3])).name()
