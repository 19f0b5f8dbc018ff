"""One level of a multiscale image as a layer of its own, to be worked on.

Networks see the voxels of one level. That level becomes a layer, so that everything
made of it, paint, previews and results, lies where it belongs and can be told from
what is made of the full image; its project is another one, too.
"""

import hashlib
from typing import Any

import numpy as np
from napari.layers import Image

from napari_sashiko.gui.layer_volume import (
    LEVEL,
    PLACE,
    PROJECT,
    place_beside,
    source_path,
)
from napari_sashiko.session import project_folder

EXACT = 1.0  # voxels along an axis within which a factor is a whole number


def level_shapes(layer: Any) -> list[tuple[int, ...]]:
    """Shapes of the levels of an image, the finest first; one if it has no others."""
    arrays = layer.data if layer.multiscale else [layer.data]
    cut = -1 if layer.rgb else None
    return [tuple(each.shape)[:cut] for each in arrays]


def level_of(layer: Any) -> int:
    """Which level of another image a layer is; 0 if of none."""
    return int(layer.metadata.get(LEVEL, {}).get("level", 0))


def whole_of(viewer: Any, layer: Any) -> Any:
    """Return the image that a layer is a level of; itself if of none, or it is gone."""
    known = layer.metadata.get(LEVEL)
    if known is None:
        return layer
    found = (each for each in viewer.layers if each.unique_id == known["image"])
    return next(found, layer)


def level_layer(viewer: Any, layer: Any, level: int) -> Any:
    """Return a level of an image as a layer; made where there is none yet.

    Parameters
    ----------
    viewer : napari.Viewer
    layer : napari.layers.Image
        Multiscale.
    level : int
        0 is the image itself.
    """
    if level == 0:
        return layer
    for each in viewer.layers:
        if each.metadata.get(LEVEL) == _note(layer, level):
            return each
    name = f"{layer.name} - level {level}"
    made = Image(
        layer.data[level],
        name=name,
        rgb=layer.rgb,
        multiscale=False,
        metadata={LEVEL: _note(layer, level), **_project(layer, level)},
        **_place(layer, level),
        **(
            {}
            if layer.rgb
            else {
                "contrast_limits": layer.contrast_limits,
                "colormap": layer.colormap,
            }
        ),
    )
    active = viewer.layers.selection.active
    viewer.layers.insert(viewer.layers.index(layer) + 1, made)
    viewer.layers.selection.active = active
    return made


def _note(layer: Any, level: int) -> dict[str, Any]:
    return {"level": level, "image": layer.unique_id}


def _project(layer: Any, level: int) -> dict[str, Any]:
    """Where a level of a file is worked on: beside it, as the file itself."""
    beside = place_beside(layer)
    if beside is None:
        return {}
    name = f"{beside.name} level {level}"
    mark = hashlib.sha256(f"{beside.absolute()} {level}".encode()).hexdigest()
    folder = project_folder(name, beside.with_name(name), lambda: mark)
    return {PROJECT: {"folder": str(folder), "image": str(source_path(layer))}}


def _place(layer: Any, level: int) -> dict[str, Any]:
    """Where a level belongs: its first voxel is in the middle of those it covers."""
    finest, shape = (level_shapes(layer)[each] for each in (0, level))
    factors = np.array([_factor(n, m) for n, m in zip(finest, shape, strict=True)])
    place = {name: getattr(layer, name) for name in PLACE}
    world = np.asarray(layer.data_to_world((factors - 1) / 2))
    place["scale"] = np.asarray(layer.scale) * factors
    place["translate"] = np.asarray(layer.affine.inverse(world))
    return place


def _factor(finest: int, size: int) -> float:
    """Voxels of the finest level in one of another, by their numbers."""
    factor = finest / size
    whole = round(factor)
    return float(whole) if abs(whole * size - finest) <= whole * EXACT else factor
