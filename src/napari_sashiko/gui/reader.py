"""Open what this program wrote: predictions, instances, and whole projects."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sashiko.errors import SashikoError
from napari_sashiko.gui.label_layer import class_colormap
from napari_sashiko.gui.lazy_array import as_levels
from napari_sashiko.gui.live_layers import channel_axis
from napari_sashiko.gui.messages import notify
from napari_sashiko.gui.result_layers import (
    SHOWN_STD,
    foreground,
    ramp,
)

if TYPE_CHECKING:  # takes long to load
    from napari_sashiko.volumes import Stacking

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[str | list[str]], list[LayerData]]
ATTRIBUTES = "sashiko"  # as in `volumes`, which takes long to load
PROJECT_SUFFIX = ".sashiko"
NOTHING: list[Any] = [(None,)]  # napari's way to say that there are no layers
MAKERS = ("prediction", "restored image", "instances")


def get_reader(path: str | list[str]) -> Reader | None:
    """Return a reader if `path` is a result or a project of this program, else None."""
    if isinstance(path, list):
        return None
    if path.rstrip("/\\").endswith(PROJECT_SUFFIX) and Path(path).is_dir():
        from napari_sashiko.gui.project_reader import (  # noqa: PLC0415 - the whole dock
            read_project,
        )

        return read_project
    return read_result if kind_of(Path(path)) in MAKERS else None


def read_result(path: str | list[str]) -> list[LayerData]:
    """Layers of a prediction or of instances; voxels are read when they are shown."""
    folder = Path(path if isinstance(path, str) else path[0])
    engine = import_module("napari_sashiko.pipeline")
    try:
        if kind_of(folder) == "prediction":
            return prediction_layers(engine.open_prediction(folder))
        if kind_of(folder) == "restored image":
            return restored_layers(engine.open_restored(folder))
        return instance_layers(engine.open_instances(folder))
    except SashikoError as error:
        notify(str(error), "error")
        return NOTHING


def kind_of(path: Path) -> str:
    """Say what a folder holds, from its attributes; empty if it is not ours."""
    try:
        root = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
        return str(root["attributes"][ATTRIBUTES]["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def prediction_layers(found: Any) -> list[LayerData]:
    """Mean of each foreground class, deviation, classes."""
    place, name = place_of(found.stack, found), found.path.stem
    axis = channel_axis(found)
    ids = [each.id for each in found.classes]
    layers: list[LayerData] = []
    for each in foreground(found.classes):
        means = (found.mean, *found.coarser.get("mean", ()))
        values = as_levels(
            means, channel=ids.index(each.id), dtype=np.float32, channel_axis=axis
        )
        look = {
            "name": f"{name} - mean {each.name}",
            "colormap": ramp(each.color, f"sashiko {each.name}"),
            "contrast_limits": (0.0, 1.0),
            "blending": "additive",
            "visible": False,
        }
        layers.append((values, {**look, **place}, "image"))
    look = {
        "name": f"{name} - std",
        "colormap": "magma",
        "contrast_limits": (0.0, SHOWN_STD),
        "blending": "additive",
        "visible": False,
    }
    stds = (found.std, *found.coarser.get("std", ()))
    std = as_levels(stds, channel="highest", dtype=np.float32, channel_axis=axis)
    layers.append((std, {**look, **place}, "image"))
    look = {"name": f"{name} - classes", "colormap": class_colormap(found.classes)}
    ids_shown = as_levels((found.class_ids, *found.coarser.get("classes", ())))
    layers.append((ids_shown, {**look, **place}, "labels"))
    return layers


def restored_layers(found: Any) -> list[LayerData]:
    """Each channel of a restored image, and where its networks differ."""
    place, name = place_of(found.stack, found), found.path.stem
    axis = channel_axis(found)
    layers: list[LayerData] = []
    for part, arrays, look in (
        ("restored", (found.mean, *found.coarser.get("mean", ())), {}),
        (
            "doubt",
            (found.std, *found.coarser.get("std", ())),
            {"visible": False, "colormap": "magma"},
        ),
    ):
        count = arrays[0].shape[axis]
        for channel in range(count):
            mark = f" {channel + 1}" if count > 1 else ""
            values = as_levels(
                arrays, channel=channel, dtype=np.float32, channel_axis=axis
            )
            named = {"name": f"{name} - {part}{mark}", **look, **place}
            layers.append((values, named, "image"))
    return layers


def instance_layers(found: Any) -> list[LayerData]:
    """Labelled objects."""
    look = {
        "name": f"{found.path.stem} - instances",
        "scale": found.voxel_size,
        "units": found.units,
        "axis_labels": tuple(found.axes),
    }
    return [(as_levels((found.labels, *found.coarser)), look, "labels")]


def place_of(stack: "Stacking", found: Any) -> dict[str, Any]:
    """Where layers of a result or an image lie, in its own units."""
    return {
        "scale": stack.scale(found.voxel_size),
        "units": stack.units(found.unit),
        "axis_labels": tuple(stack.axes),
    }
