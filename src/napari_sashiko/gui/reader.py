"""Open what this program wrote, whole projects too, and images of many formats."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import napari
import numpy as np

from napari_sashiko.errors import SashikoError
from napari_sashiko.gui.label_layer import class_colormap
from napari_sashiko.gui.lazy_array import as_levels
from napari_sashiko.gui.live_layers import channel_axis
from napari_sashiko.gui.messages import notify
from napari_sashiko.gui.reconstructed_layers import DOUBT, PARTS
from napari_sashiko.gui.result_layers import (
    SHOWN_STD,
    foreground,
    ramp,
)
from napari_sashiko.gui.sets_row import size_colours, size_names
from napari_sashiko.gui.volume_reader import (
    NOTHING,
    LayerData,
    is_image,
    place_of,
    read_image,
)

Reader = Callable[[str | list[str]], list[LayerData]]
ATTRIBUTES = "sashiko"  # as in `volumes`, which takes long to load
PROJECT_SUFFIX = ".sashiko"
SIZES = "sizes"  # the image in a folder of prediction sets


def get_reader(path: str | list[str]) -> Reader | None:
    """Return a reader of a result, a project or an image; None if there is none."""
    if isinstance(path, list):
        return None
    if path.rstrip("/\\").endswith(PROJECT_SUFFIX) and Path(path).is_dir():
        from napari_sashiko.gui.project_reader import (  # noqa: PLC0415 - the whole dock
            read_project,
        )

        return read_project
    if kind_of(Path(path)) in RESULTS:
        return read_result
    return read_image if is_image(Path(path)) else None


def read_result(path: str | list[str]) -> list[LayerData]:
    """Layers of a result; voxels are read when they are shown."""
    folder = Path(path if isinstance(path, str) else path[0])
    engine = import_module("napari_sashiko.pipeline")
    opener, as_layers = RESULTS[kind_of(folder)]
    try:
        return locked(as_layers(getattr(engine, opener)(folder)))
    except SashikoError as error:
        notify(str(error), "error")
        return NOTHING


def locked(layers: list[LayerData]) -> list[LayerData]:
    """See to it that nobody can paint on labels that are shown from the disk.

    napari makes labels of one level editable when it adds them, and fails at the first
    stroke.
    """
    viewer = napari.current_viewer()
    shown = [data for data, _, kind in layers if kind == "labels"]
    if viewer is None or not shown:
        return layers

    def lock(event: Any) -> None:
        for data in [each for each in shown if event.value.data is each]:
            event.value.editable = False
            shown.remove(data)
        if not shown:
            viewer.layers.events.inserted.disconnect(lock)

    viewer.layers.events.inserted.connect(lock)
    return layers


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


def reconstructed_layers(found: Any) -> list[LayerData]:
    """What back-projection and networks made of the same sinograms."""
    place, name = place_of(found.stack, found), found.path.stem
    layers: list[LayerData] = []
    for part, words in PARTS.items():
        if part in found.images:
            hidden = {"visible": False, "colormap": "magma"} if part == DOUBT else {}
            levels = (found.images[part], *found.coarser.get(part, ()))
            values = as_levels(levels, channel=0, dtype=np.float32)
            look = {"name": f"{name} - {words}", **hidden, **place}
            layers.append((values, look, "image"))
    return layers


def set_layers(found: Any) -> list[LayerData]:
    """How many classes each voxel may have."""
    engine = import_module("napari_sashiko.pipeline")
    volume = engine.open_volume(found.path / SIZES)
    look = {
        "name": f"{found.path.stem} - set sizes",
        "colormap": size_colours(len(found.classes)),
        "features": size_names(len(found.classes)),
        **place_of(volume.stacking, volume),
    }
    return [(as_levels((found.sizes, *found.coarser)), look, "labels")]


def instance_layers(found: Any) -> list[LayerData]:
    """Labelled objects."""
    look = {
        "name": f"{found.path.stem} - instances",
        "scale": found.voxel_size,
        "units": found.units,
        "axis_labels": tuple(found.axes),
    }
    return [(as_levels((found.labels, *found.coarser)), look, "labels")]


# How each kind of result is opened, and becomes layers.
RESULTS: dict[str, tuple[str, Callable[[Any], list[LayerData]]]] = {
    "prediction": ("open_prediction", prediction_layers),
    "restored image": ("open_restored", restored_layers),
    "reconstruction": ("open_reconstructed", reconstructed_layers),
    "sets": ("open_sets", set_layers),
    "instances": ("open_instances", instance_layers),
}
