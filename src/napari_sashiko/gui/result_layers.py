"""Mean, deviation and classes as layers that fill while the volume is segmented."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from napari.utils import Colormap
from qtpy.QtCore import QObject, QTimer, Signal

from napari_sashiko.gui.label_layer import KEY, class_colormap
from napari_sashiko.gui.layer_volume import placement
from napari_sashiko.gui.lazy_array import as_levels
from napari_sashiko.gui.live_layers import LiveLayers, channel_axis

MILLISECONDS_BETWEEN = 30  # layers: the window draws and hears the user meanwhile
MOST_STD = 0.5  # population deviation of values between 0 and 1
SHOWN_STD = 0.25
OPACITY = 0.5


class ResultLayers(LiveLayers):
    """The layers of one prediction beside its image.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are shown.
    source : napari layer
        The image; its place is copied.
    """

    all_there = Signal()

    def __init__(self, viewer: Any, source: Any, parent: QObject | None = None) -> None:
        super().__init__(viewer, parent)
        self.source = source
        self._waiting: list[Callable[[], Any]] = []
        self._beat = QTimer(self)
        self._beat.setInterval(MILLISECONDS_BETWEEN)
        self._beat.timeout.connect(self._add_next)

    def begin(self, result: Any) -> None:
        """Add the layers one after another, so that the window answers in between.

        Layers of an earlier run show this one instead; `all_there` tells of the end.

        Parameters
        ----------
        result : Prediction
            Open prediction: arrays, classes and where they are from.
        """
        self.layers = []
        self._stack = result.stack
        self._waiting = [
            *(partial(self._mean, result, each) for each in foreground(result.classes)),
            partial(self._std, result),
            partial(self._classes, result),
        ]
        self._beat.start()

    def show(self, result: Any, source: Any = None) -> None:
        """Add all layers at once; see `begin`."""
        self.source = source or self.source
        self.begin(result)
        self._add_rest()

    def _add_rest(self) -> None:
        while self._waiting:
            self._add_next()

    def _add_next(self) -> None:
        if self.source not in self.viewer.layers:
            self._waiting.clear()
        if self._waiting:
            self.layers.append(self._waiting.pop(0)())
        if not self._waiting:
            self._beat.stop()
            self._remove_stale()
            hide_preview(self.viewer)
            self.all_there.emit()

    def finish(self) -> None:
        """Repaint everything, also what has waited until now."""
        self._add_rest()
        super().finish()

    def drop(self) -> None:
        """Follow nothing any more, and hold neither image nor layers."""
        self._beat.stop()
        self._timer.stop()
        self._waiting, self.layers, self.source = [], [], None
        self.deleteLater()

    def _mean(self, result: Any, each: Any) -> Any:
        channel = [c.id for c in result.classes].index(each.id)
        arrays = (result.mean, *result.coarser.get("mean", ()))
        data = as_levels(
            arrays,
            channel=channel,
            dtype=np.float32,
            channel_axis=channel_axis(result),
        )
        return put_layer(
            self.viewer,
            self.source,
            Image,
            data,
            name=f"{self.source.name} - mean {each.name}",
            note=note(result, "mean", class_id=each.id),
            first={"visible": False, "blending": "additive"},
            always={
                "colormap": ramp(each.color, f"sashiko {each.name}"),
                "contrast_limits_range": (0.0, 1.0),
                "contrast_limits": (0.0, 1.0),
            },
        )

    def _std(self, result: Any) -> Any:
        arrays = (result.std, *result.coarser.get("std", ()))
        data = as_levels(
            arrays,
            channel="highest",
            dtype=np.float32,
            channel_axis=channel_axis(result),
        )
        return put_layer(
            self.viewer,
            self.source,
            Image,
            data,
            name=f"{self.source.name} - std",
            note=note(result, "std"),
            first={"visible": False, "blending": "additive", "colormap": "magma"},
            always={
                "contrast_limits_range": (0.0, MOST_STD),
                "contrast_limits": (0.0, SHOWN_STD),
            },
        )

    def _classes(self, result: Any) -> Any:
        layer = put_layer(
            self.viewer,
            self.source,
            Labels,
            as_levels((result.class_ids, *result.coarser.get("classes", ()))),
            name=f"{self.source.name} - classes",
            note=note(result, "classes"),
            first={"opacity": OPACITY},
            always={"colormap": class_colormap(result.classes), "visible": True},
        )
        layer.editable = False
        layer.features = {
            "index": [0, *(c.id for c in result.classes)],
            "class": ["not segmented yet", *(c.name for c in result.classes)],
        }
        return layer

    def _remove_stale(self) -> None:
        """Take away classes that the model does not have, and sets of another run."""
        for layer in list(self.viewer.layers):
            facts = layer.metadata.get(KEY, {})
            stale = facts.get("result") in ("mean", "sets") and layer not in self.layers
            if stale and is_result_of(layer, self.source) and "restored" not in facts:
                self.viewer.layers.remove(layer)


def is_result_of(layer: Any, source: Any) -> bool:
    """Whether a layer shows a result of this image, whatever they are called."""
    facts = layer.metadata.get(KEY, {})
    return "result" in facts and facts.get("of") == source.unique_id


def is_source(layer: Any) -> bool:
    """Whether a layer is an image to work on: of results, only restored ones are."""
    if not isinstance(layer, Image):
        return False
    note = layer.metadata.get(KEY)
    return note is None or (bool(note.get("restored")) and note["result"] == "mean")


def put_layer(
    viewer: Any,
    source: Any,
    kind: Any,
    data: Any,
    *,
    name: str,
    note: dict[str, Any],
    first: dict[str, Any],
    always: dict[str, Any],
) -> Any:
    """Add a result layer below the paint, or update the one of the run before.

    Parameters
    ----------
    data : LazyArray or list of them
        The levels, where there are several.
    name : str
        Name of the layer: that of the image and what it shows.
    note : dict
        Kept in the metadata of the layer: model, path, classes.
    first, always : dict
        Attributes for a new layer, and those that every run sets.
    """
    several = isinstance(data, list)
    ndim = (data[0] if several else data).ndim
    part = name.removeprefix(source.name)
    note = {**note, "of": source.unique_id, "part": part}
    layer = find_result(
        viewer, part, kind, ndim, multiscale=several, of=source.unique_id
    )
    place = placement(source, ndim)
    if layer is None:
        limits = {k: v for k, v in always.items() if k == "contrast_limits"}
        layer = kind(data, name=name, metadata={KEY: note}, **place, **limits)
        _assign(layer, {**first, **always})
        insert_quietly(viewer, layer)
    else:
        layer.data = data
        layer.metadata = {**layer.metadata, KEY: note}
        _assign(layer, {**place, **always})
    return layer


def find_result(
    viewer: Any,
    name: str,
    kind: Any,
    ndim: int,
    *,
    multiscale: bool = False,
    of: Any = None,
) -> Any:
    """Return our layer; one that cannot take the data is removed.

    Parameters
    ----------
    name : str
        Of the layer; what it shows of an image where `of` tells which.
    of : object, optional
        `unique_id` of that image. Names may be given to other images.
    """
    for layer in list(viewer.layers):
        facts = layer.metadata.get(KEY, {})
        called = layer.name if of is None else facts.get("part")
        if "result" in facts and facts.get("of") == of and called == name:
            same = layer.ndim == ndim and layer.multiscale == multiscale
            if isinstance(layer, kind) and same:
                return layer
            viewer.layers.remove(layer)
    return None


def insert_quietly(viewer: Any, layer: Any) -> None:
    """Insert below the paint, and leave the active layer active."""
    active = viewer.layers.selection.active
    paints = [
        index
        for index, each in enumerate(viewer.layers)
        if "store" in each.metadata.get(KEY, {})
    ]
    viewer.layers.insert(paints[0] if paints else len(viewer.layers), layer)
    if active is not None:
        viewer.layers.selection.active = active


def hide_preview(viewer: Any, *, hide: bool = True) -> None:
    """Hide the segmented slice in view, which would lie on top of the result."""
    for layer in viewer.layers:
        if layer.metadata.get(KEY, {}).get("preview"):
            layer.visible = not hide


def hide_classes(viewer: Any, source: Any) -> None:
    """Hide the classes of an image, which would lie on top of its objects."""
    for layer in viewer.layers:
        classes = layer.metadata.get(KEY, {}).get("result") == "classes"
        if classes and is_result_of(layer, source):
            layer.visible = False


def foreground(classes: Sequence[Any]) -> Sequence[Any]:
    """All classes but the first, which is what the objects lie in."""
    return classes[1:] if len(classes) > 1 else classes


def ramp(color: str, name: str) -> Colormap:
    """Black to the colour of a class."""
    rgb = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return Colormap([[0, 0, 0, 1], [*rgb, 1]], name=name)


def note(result: Any, kind: str, **more: Any) -> dict[str, Any]:
    """Return what a result layer remembers about the run that made it."""
    return {
        "result": kind,
        "path": str(result.path),
        "model": result.model_digest,
        "classes": {each.id: each.name for each in result.classes},
        **more,
    }


def _assign(layer: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(layer, name, value)


def move_along(viewer: Any, image: Any, folder: Path | None) -> None:
    """Put whatever belongs to an image where the image lies now.

    Parameters
    ----------
    viewer : napari.Viewer
        Its layers are looked at: paint, results and previews.
    image : napari.layers.Image
        Another voxel size was set, or it was moved or turned.
    folder : Path or None
        Its project.
    """
    for layer in viewer.layers:
        facts = layer.metadata.get(KEY, {})
        if "image" in facts:  # a reconstruction does not lie on its sinograms
            continue
        places = [facts.get("project"), *Path(str(facts.get("path", ""))).parents]
        mine = folder is not None and str(folder) in map(str, places)
        if not mine and facts.get("of") != image.unique_id:
            continue
        there = placement(layer, layer.ndim)
        for name, value in placement(image, layer.ndim).items():
            if not _same_place(there[name], value):  # each makes napari slice anew
                setattr(layer, name, value)


def _same_place(first: Any, second: Any) -> bool:
    matrices = (getattr(each, "affine_matrix", each) for each in (first, second))
    return np.array_equal(*map(np.asarray, matrices))
