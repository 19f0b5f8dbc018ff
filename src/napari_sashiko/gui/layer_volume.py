"""From an image layer to a volume, and where layers made from it belong."""

import re
from collections.abc import Iterable, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import VolumeError
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.volume_array import VolumeArray
from napari_sashiko.volumes import Time, Volume, as_volume, first_of
from napari_sashiko.volumes.units import short_unit

PROJECT = "napari_sashiko_project"  # in the metadata of an image opened from one
LEVEL = "napari_sashiko_level"  # in the metadata of a level that is worked on
PART = "napari_sashiko_part"  # in that of one of several images of a file
USUAL = "napari_sashiko_axes"  # in that of an image whose file says what they are
TIMES = ("t", "time", "frame", "frames")  # labels of an axis of time, any case
CHANNELS = ("c", "channel", "channels")  # labels of an axis of channels
AXES = {"c": "channels", "t": "time"}
# What as many axes may be, colours aside.
POSSIBLE = {3: ("zyx", "tyx", "cyx"), 4: ("tzyx", "czyx", "ctyx"), 5: ("ctzyx",)}
MOST_SPACE = 3
NUMBER = re.compile(r" \[\d+\]$")  # that napari gives to layers of one name
PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


def full_resolution(layer: Any) -> Any:
    """Return the data of a layer, finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def volume_of(layer: Any) -> Volume:
    """Make a volume of an image layer, without reading it.

    A first axis that is labelled so has channels; one before z is time, or what is
    labelled so. What this program has opened is read from its file.

    Raises
    ------
    VolumeError
        If it has more axes that are longer than one voxel, or channels elsewhere.
    """
    data, opened = full_resolution(layer), _opened(layer)
    if opened is not None:
        return _placed(_as_labelled(opened, layer), layer)
    rgb = bool(getattr(layer, "rgb", False))
    spatial = data.shape[:-1] if rgb else data.shape
    extra = _alone(spatial)
    left = spatial[extra:]
    axes = _axes(layer, spatial, len(left))
    if extra:
        data = first_of(data, extra)
    if len(left) < 2:
        raise VolumeError(
            f"{layer.name} has one axis only.", "Open an image or a volume."
        )
    space = len(axes.strip("ct"))
    size, unit = _voxel_size(layer, space)
    return as_volume(
        data,
        axes=axes + ("c" if rgb else ""),
        voxel_size=size,
        unit=unit,
        name=layer.name,
        time=_time(layer, space) if "t" in axes else None,
    )


def describe_axes(volume: Volume) -> str:
    """Say how the axes of a layer are taken, where that is not plain: it may be wrong.

    Parameters
    ----------
    volume : Volume
        Of the layer.
    """
    letters = ["c"] if volume.channels > 1 and not volume.colour else []
    letters += volume.stacking.axes
    if set(letters) <= set("zyx"):
        return ""
    return f"axes taken as {axes_words(letters)}"


def axes_words(letters: Iterable[str]) -> str:
    """Name axes for people, as in *channels, y, x*."""
    return ", ".join(AXES.get(each, each) for each in letters)


def possible_axes(layer: Any) -> tuple[str, ...]:
    """What the axes of a layer may be, letters of ``tczyx``; none for a 2D image.

    Parameters
    ----------
    layer : napari.layers.Image
    """
    shape, opened = full_resolution(layer).shape, _opened(layer)
    if getattr(layer, "rgb", False):
        return ()
    if opened is not None:
        known = opened.axes
        # Other orders are named by the file, and shown in another one; an axis of one
        # channel or one time point is not shown.
        found = POSSIBLE.get(layer.ndim, ())
        return found if known in found else ()
    return POSSIBLE.get(len(shape) - _alone(shape), ())


def label_axes(layer: Any, letters: str) -> None:
    """Say what the last axes of a layer are.

    Parameters
    ----------
    layer : napari.layers.Image
        Its axis labels are changed.
    letters : str
        Of ``tczyx``, a letter for each.
    """
    count = layer.ndim - len(letters)
    layer.axis_labels = (*layer.axis_labels[:count], *letters)


def _alone(shape: Sequence[int]) -> int:
    """How many leading axes of one voxel are left out."""
    extra = 0
    while len(shape) - extra > MOST_SPACE and shape[extra] == 1:
        extra += 1
    return extra


def _as_labelled(known: Volume, layer: Any) -> Volume:
    """A volume with its axes taken as its layer says now, where they may be others."""
    if not possible_axes(layer):
        return known
    axes = _axes(layer, full_resolution(layer).shape, len(known.axes))
    return known if axes == known.axes else known.taken_as(axes)


def _placed(known: Volume, layer: Any) -> Volume:
    """A volume with the voxel size and name that its layer has now."""
    volume, space = copy(known), 2 if known.flat else 3
    (z, y, x), unit = _voxel_size(layer, space)
    volume.voxel_size = (known.voxel_size[0] if known.flat else z, y, x)
    volume.unit, volume.name = short_unit(unit), layer.name
    if known.time is not None:
        volume.time = _time(layer, space)
    same = np.allclose(volume.voxel_size, known.voxel_size, rtol=1e-9, atol=0)
    if not same or volume.unit != known.unit:
        volume.source = None  # opened anew elsewhere, it would have another size
    return volume


def _axes(layer: Any, shape: Sequence[int], count: int) -> str:
    """Letters of the last axes of a layer."""
    labels = [str(label).lower() for label in layer.axis_labels[-count:]]
    channel = "c" if count > 2 and labels[0] in CHANNELS else ""
    rest = labels[len(channel) :]
    if set(rest) & set(CHANNELS):
        raise VolumeError(
            f"The axes of {layer.name} are {', '.join(labels)}.",
            "Put the axis of channels first, or split the layer: right-click it, "
            "Split Stack.",
        )
    if len(rest) > MOST_SPACE + 1:
        raise VolumeError(
            f"{layer.name} has {len(shape)} axes, shape {tuple(shape)}; a volume "
            "has three, one more of time, and one more that is labelled c.",
            "Split it into single volumes first: right-click the layer, Split Stack.",
        )
    if len(rest) > MOST_SPACE:
        return f"{channel}tzyx"
    timed = len(rest) == MOST_SPACE and rest[0] in TIMES
    return channel + ("tyx" if timed else "zyx"[-len(rest) :])


def _time(layer: Any, space: int) -> Time:
    """What lies between two time points, as scale and unit of their axis say."""
    place = layer.ndim - space - 1
    unit = short_unit(str(layer.units[place]))
    if layer.units[place].is_compatible_with("meter"):  # it was taken for depth
        return Time()
    return Time(abs(float(layer.scale[place])), "" if unit == "pixel" else unit)


def source_path(layer: Any) -> Path | None:
    """File that the layer was read from."""
    known, opened = layer.metadata.get(PROJECT), _opened(layer)
    path = known["image"] if known else getattr(layer.source, "path", None)
    if not path and opened is not None:
        path = opened.path
    return Path(path) if path and Path(path).exists() else None


def mark_parts(images: Iterable[Any]) -> list[Any]:
    """Note of images that one file holds, such as channels, what each is called.

    A file that was opened twice gives layers of one name, which are the same image.

    Parameters
    ----------
    images : iterable of napari.layers.Image
        That were opened together.

    Returns
    -------
    list
        Those of which it was not known.
    """
    found = []
    known: dict[Path, list[Any]] = {}
    for layer in images:
        path = getattr(layer.source, "path", None)
        if path and _opened(layer) is None and PROJECT not in layer.metadata:
            known.setdefault(Path(path), []).append(layer)
    for layers in known.values():
        names = {NUMBER.sub("", layer.name) for layer in layers}
        for layer in layers if len(names) == len(layers) > 1 else ():
            if PART not in layer.metadata:
                layer.metadata[PART] = layer.name
                found.append(layer)
    return found


def place_beside(layer: Any) -> Path | None:
    """File beside which the project of a layer lies; of a part, one of its own name."""
    path, part = source_path(layer), layer.metadata.get(PART)
    if path is None or part is None:
        return path
    return path.with_name(f"{path.name} {part}".replace("/", "_"))


def source_project(layer: Any) -> Path | None:
    """Project that the layer was opened from, if it was."""
    known = layer.metadata.get(PROJECT)
    return Path(known["folder"]) if known else None


def kept_with(layer: Any, volume: Volume) -> tuple[str, Path | None, Path | None]:
    """What the project of a layer is found by; nothing is read.

    A layer may have been opened from a project. With other axes than its file says, it
    is another image with a project of its own.

    Parameters
    ----------
    layer : napari.layers.Image
        The image.
    volume : Volume
        What it was taken for.

    Returns
    -------
    name : str
        What its folder is called after.
    path : Path or None
        File that it lies beside.
    folder : Path or None
        The project, where the layer says.
    """
    known, path = source_project(layer), place_beside(layer)
    opened = _opened(layer)
    axes, possible = volume.axes, possible_axes(layer)
    usual = layer.metadata.get(USUAL, possible[0]) if possible else axes
    if opened is not None and known is not None and axes == opened.axes:
        return layer.name, path, known
    if opened is not None and (opened.source or {}).get("axes") is None:
        usual = opened.axes
    level = known if LEVEL in layer.metadata else None
    if axes == usual or path is None:
        return layer.name, path, level
    name = f"{path.name if level is None else level.stem} {axes}"
    return name, path.with_name(name), None


def _opened(layer: Any) -> Volume | None:
    """The volume that a layer was opened as by this program."""
    data = full_resolution(layer)
    found = data.whole if isinstance(data, LazyArray) else None
    return found.volume if isinstance(found, VolumeArray) else None


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
    places = layer.units[-ndim:]
    if ndim == MOST_SPACE and places[0].is_compatible_with("second"):
        scale[0], places = scale[1], places[1:]  # the first was taken for time
    units = {str(unit) for unit in places}
    unit = units.pop() if len(units) == 1 else "pixel"
    size = (1.0,) * (3 - ndim) + tuple(scale)
    return (size[0], size[1], size[2]), unit
