"""Table and layer show the same object: a row jumps to it, a click finds its row."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_sashiko.gui.instance_table import InstanceTable
from napari_sashiko.gui.layer_volume import full_resolution
from napari_sashiko.gui.view_center import look_at

PICKING_MODES = ("pan_zoom", "pick")
AXES = "zyx"


class InstanceLink(QObject):
    """Tie a table to a Labels layer.

    Parameters
    ----------
    table : InstanceTable
    viewer : napari.Viewer
    """

    selected = Signal(int)  # label, by row or by click

    def __init__(self, table: InstanceTable, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.table = table
        self.viewer = viewer
        self.layer: Any = None
        self.alone = True
        table.picked.connect(self._on_row)
        viewer.mouse_drag_callbacks.append(self._on_click)

    def watch(self, layer: Any) -> None:
        """Tie the table to this layer from now on."""
        self._unwatch()
        self.layer = layer
        if layer is not None:
            layer.show_selected_label = False
            layer.events.selected_label.connect(self._on_selected_label)

    def show_alone(self, *, on: bool) -> None:
        """Whether the selected object is shown without the others."""
        self.alone = on
        if self.layer is not None:
            self.layer.show_selected_label = on and self.table.selected > 0

    def clear(self) -> None:
        """Select nothing and show all objects."""
        self.table.clearSelection()
        if self.layer is not None:
            self.layer.show_selected_label = False

    def shutdown(self) -> None:
        """Stop listening to the mouse and the layer."""
        self._unwatch()
        if self._on_click in self.viewer.mouse_drag_callbacks:
            self.viewer.mouse_drag_callbacks.remove(self._on_click)

    def _unwatch(self) -> None:
        if self.layer is not None:
            self.layer.events.selected_label.disconnect(self._on_selected_label)
            self.layer = None

    def _here(self) -> bool:
        return self.layer is not None and self.layer in self.viewer.layers

    def _on_row(self, label: int) -> None:
        rows = self.table.rows
        if not self._here() or rows is None:
            return
        record = rows.record(label)
        if record is None:
            return
        self._highlight(label)
        jump_to(self.viewer, self.layer, label, bounding_box(record))
        self.selected.emit(label)

    def _highlight(self, label: int) -> None:
        with self.layer.events.selected_label.blocker(self._on_selected_label):
            self.layer.selected_label = label
        self.layer.visible = True
        self.layer.show_selected_label = self.alone

    def _on_selected_label(self, _event: Any = None) -> None:
        """Follow the pick tool of the layer."""
        self._found(int(self.layer.selected_label))

    def _on_click(self, viewer: Any, event: Any) -> Iterator[None]:
        """Find the row of the object under a click that is not a drag."""
        active = viewer.layers.selection.active
        free = active is None or active.mode in PICKING_MODES
        if not (self._here() and self.layer.visible and free):
            return
        yield
        if event.type == "mouse_move":
            return
        value = self.layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=list(event.dims_displayed),
            world=True,
        )
        label = label_of(value)
        if label > 0:
            self._highlight(label)
            self._found(label)

    def _found(self, label: int) -> None:
        rows = self.table.rows
        if rows is None or rows.row_of(label) is None:
            return
        self.table.select_label(label)
        self.selected.emit(label)


def label_of(value: Any) -> int:
    """Label in what a Labels layer says of a place; 0 if there is none."""
    # Layers with coarser levels say (level, label).
    label = value[1] if isinstance(value, tuple) else value
    return 0 if label is None else int(label)


def bounding_box(record: dict[str, Any]) -> tuple[slice, ...]:
    """Voxels ([t,] z, y, x) that an object lies in, from its row."""
    space = tuple(
        slice(int(record[f"bbox_{axis}_start"]), int(record[f"bbox_{axis}_stop"]))
        for axis in AXES
    )
    if "frame" not in record:
        return space
    frame = int(record["frame"])
    return slice(frame, frame + 1), *space


def jump_to(viewer: Any, layer: Any, label: int, box: tuple[slice, ...]) -> None:
    """Show a slice through the middle of an object, with it in the centre.

    Parameters
    ----------
    box : tuple of slice
        The object's bounding box in voxels, ([t,] z, y, x).
    """
    # Of images the first axis of space is missing; what is before it is not.
    box = (*box[:-3], *box[-3:][-(layer.ndim - len(box[:-3])) :])
    offset = viewer.dims.ndim - layer.ndim
    shown = [axis - offset for axis in viewer.dims.displayed]
    center = np.array([(part.start + part.stop - 1) / 2 for part in box])
    if viewer.dims.ndisplay == 2:
        center = _center_in_slice(layer, label, box, shown)
    look_at(viewer, layer, center)


def _center_in_slice(
    layer: Any, label: int, box: tuple[slice, ...], shown: list[int]
) -> np.ndarray:
    """Middle of the object's cut; a bent object need not fill its box's middle.

    Connected objects cross every plane of their box, so that the cut is not empty.
    """
    center = np.array([(part.start + part.stop - 1) // 2 for part in box], float)
    key = tuple(
        part if axis in shown else int(center[axis]) for axis, part in enumerate(box)
    )
    cut = np.argwhere(np.asarray(full_resolution(layer)[key]) == label)
    if len(cut):
        start = [box[axis].start for axis in sorted(shown)]
        center[sorted(shown)] = cut.mean(axis=0) + start
    return center
