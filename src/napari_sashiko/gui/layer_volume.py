"""From an image layer to a volume, and where layers made from it belong."""

from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import Volume, as_volume, first_of

PROJECT = "napari_sashiko_project"  # in the metadata of an image opened from one
PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


def full_resolution(layer: Any) -> Any:
    """Return the data of a layer, finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def volume_of(layer: Any) -> Volume:
    """Make a volume of an image layer, without reading it.

    Raises
    ------
    VolumeError
        If it has more than three axes that are longer than one voxel.
    """
    data = full_resolution(layer)
    rgb = bool(getattr(layer, "rgb", False))
    spatial = data.shape[:-1] if rgb else data.shape
    extra = len(spatial) - 3
    if extra > 0 and max(spatial[:extra]) > 1:
        raise VolumeError(
            f"{layer.name} has {len(spatial)} axes, shape {tuple(spatial)}; a volume "
            "has three.",
            "Split it into single volumes first: right-click the layer, Split Stack.",
        )
    if extra > 0:
        data = first_of(data, extra)
        spatial = spatial[extra:]
    if len(spatial) < 2:
        raise VolumeError(
            f"{layer.name} has one axis only.", "Open an image or a volume."
        )
    axes = "zyx"[-len(spatial) :] + ("c" if rgb else "")
    size, unit = _voxel_size(layer, len(spatial))
    return as_volume(data, axes=axes, voxel_size=size, unit=unit, name=layer.name)


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
