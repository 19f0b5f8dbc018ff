"""From an image layer to a volume, and where layers made from it belong."""

from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import Time, Volume, as_volume, first_of
from napari_sashiko.volumes.units import short_unit

PROJECT = "napari_sashiko_project"  # in the metadata of an image opened from one
TIMES = ("t", "time", "frame", "frames")  # labels of an axis of time, any case
OTHERS = ("c", "channel", "channels")
MOST_SPACE = 3
PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


def full_resolution(layer: Any) -> Any:
    """Return the data of a layer, finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def volume_of(layer: Any) -> Volume:
    """Make a volume of an image layer, without reading it.

    The axis before z, or one that is labelled so, is time.

    Raises
    ------
    VolumeError
        If it has more axes that are longer than one voxel, or a further one that is
        labelled as something else than time.
    """
    data = full_resolution(layer)
    rgb = bool(getattr(layer, "rgb", False))
    spatial = data.shape[:-1] if rgb else data.shape
    extra = 0
    while len(spatial) - extra > MOST_SPACE and spatial[extra] == 1:
        extra += 1
    left = spatial[extra:]
    axes = _axes(layer, len(left))
    if axes is None:
        raise VolumeError(
            f"{layer.name} has {len(spatial)} axes, shape {tuple(spatial)}; a volume "
            "has three, and one more of time.",
            "Split it into single volumes first: right-click the layer, Split Stack.",
        )
    if extra:
        data = first_of(data, extra)
    if len(left) < 2:
        raise VolumeError(
            f"{layer.name} has one axis only.", "Open an image or a volume."
        )
    space = len(axes.removeprefix("t"))
    size, unit = _voxel_size(layer, space)
    return as_volume(
        data,
        axes=axes + ("c" if rgb else ""),
        voxel_size=size,
        unit=unit,
        name=layer.name,
        time=_time(layer, space) if "t" in axes else None,
    )


def _axes(layer: Any, count: int) -> str | None:
    """Letters of the last axes of a layer; None where there are too many."""
    labels = [str(label).lower() for label in layer.axis_labels[-count:]]
    if count == 4:
        return None if labels[0] in OTHERS else "tzyx"
    if count == 3 and labels[0] in TIMES:
        return "tyx"
    return "zyx"[-count:] if count < 4 else None


def _time(layer: Any, space: int) -> Time:
    """What lies between two time points, as scale and unit of their axis say."""
    place = layer.ndim - space - 1
    unit = short_unit(str(layer.units[place]))
    return Time(abs(float(layer.scale[place])), "" if unit == "pixel" else unit)


def source_path(layer: Any) -> Path | None:
    """File that the layer was read from."""
    known = layer.metadata.get(PROJECT)
    path = known["image"] if known else getattr(layer.source, "path", None)
    return Path(path) if path and Path(path).exists() else None


def source_project(layer: Any) -> Path | None:
    """Project that the layer was opened from, if it was."""
    known = layer.metadata.get(PROJECT)
    return Path(known["folder"]) if known else None


def placement(layer: Any, ndim: int) -> dict[str, Any]:
    """Where a layer of `ndim` axes made from this one belongs, for ``add_*``."""
    values = {name: getattr(layer, name) for name in PLACE}
    if ndim == layer.ndim:
        return values
    matrix = np.asarray(values["affine"].affine_matrix)
    keep = [*range(layer.ndim - ndim, layer.ndim), layer.ndim]
    return {
        "scale": values["scale"][-ndim:],
        "translate": values["translate"][-ndim:],
        "rotate": np.asarray(values["rotate"])[-ndim:, -ndim:],
        "affine": matrix[np.ix_(keep, keep)],
        "units": values["units"][-ndim:],
        "axis_labels": values["axis_labels"][-ndim:],
    }


def _voxel_size(layer: Any, ndim: int) -> tuple[tuple[float, float, float], str]:
    scale = [abs(float(s)) for s in layer.scale[-ndim:]]
    units = {str(unit) for unit in layer.units[-ndim:]}
    unit = units.pop() if len(units) == 1 else "pixel"
    size = (1.0,) * (3 - ndim) + tuple(scale)
    return (size[0], size[1], size[2]), unit
