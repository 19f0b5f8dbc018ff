"""Open images that napari does not know, or reads whole: voxels come when shown."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sashiko.errors import SashikoError
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.messages import notify
from napari_sashiko.runners import Message

if TYPE_CHECKING:  # takes long to load
    from napari_sashiko.volumes import Stacking, Volume

LayerData = tuple[Any, dict[str, Any], str]
Tell = Callable[[str, str], None]  # a sentence and its level
NOTHING: list[Any] = [(None,)]  # napari's way to say that there are no layers
# As in the manifest. TIFF and pictures are left to napari.
ENDINGS = (
    *(".npy", ".mrc", ".rec", ".map", ".st", ".nii", ".nii.gz"),
    *(".h5", ".hdf5", ".hdf", ".nxs"),
)
CHANNEL = "c"
MANY_AXES = ("tzyx", "ctzyx")  # most often, where a file does not say


def is_image(path: Path) -> bool:
    """Whether there is an image at a path that is opened here."""
    if path.is_file():
        return path.name.lower().endswith(ENDINGS)
    return path.is_dir() and (_holds_zarr(path) or _holds_pictures(path))


def read_image(path: str | list[str]) -> list[LayerData]:
    """One layer of an image, as napari asks for it; what fails is told."""
    try:
        place = Path(path if isinstance(path, str) else path[0])
        return [open_image(place, notify)]
    except SashikoError as error:
        notify(str(error), "error")
        return NOTHING


def open_image(place: Path, tell: Tell) -> LayerData:
    """One layer of an image, with all its levels; nothing is read yet but a slice.

    Parameters
    ----------
    place : Path
        A file or a folder.
    tell : callable
        Told of the damaged pictures of a folder, which are left out.

    Raises
    ------
    VolumeError
        If it cannot be read.
    """
    engine = import_module("napari_sashiko.pipeline")
    if engine.portfolio_of(place) is not None:
        return image_layer([_pictures(engine, place, tell)])
    axes, finest = _open(engine, place)
    levels = range(1, finest.levels)
    coarser = [engine.open_volume(place, unnamed=axes, level=n) for n in levels]
    return image_layer([finest, *coarser])


def _open(engine: Any, place: Path) -> tuple[str | None, "Volume"]:
    """Open a file; one that does not say what its many axes are opens all the same.

    The dock asks what they are.
    """
    try:
        return None, engine.open_volume(place)
    except SashikoError:
        for axes in MANY_AXES:
            with suppress(SashikoError):
                return axes, engine.open_volume(place, unnamed=axes)
        raise


def _pictures(engine: Any, place: Path, tell: Tell) -> "Volume":
    """A slice for each picture of a folder that can be read."""
    steps = engine.image_to_look_at(place)
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            found: Volume = end.value.volume
            return found
        if isinstance(event, Message):
            tell(event.text, event.level)


def image_layer(
    levels: Sequence["Volume"], metadata: dict[str, Any] | None = None
) -> LayerData:
    """An image as a layer that is read when it is shown.

    Parameters
    ----------
    levels : sequence of Volume
        The finest first.
    metadata : dict, optional
        Of the layer.
    """
    # Loads the engine's lowest floor, which no start of napari has to wait for.
    from napari_sashiko.gui.volume_array import (  # noqa: PLC0415
        VolumeArray,
        grey_limits,
    )

    finest, coarsest = levels[0], levels[-1]
    array = VolumeArray(finest)
    look: dict[str, Any] = {
        "name": finest.name,
        "rgb": array.colour,
        "metadata": metadata or {},
        **place_of(finest.stacking, finest),
    }
    if array.several:
        look["scale"] = (1.0, *look["scale"])
        look["units"] = ("pixel", *look["units"])
        look["axis_labels"] = (CHANNEL, *look["axis_labels"])
    if not array.colour:
        look["contrast_limits"] = grey_limits(coarsest)
    views = [LazyArray(VolumeArray(each)) for each in levels]
    return (views if len(views) > 1 else views[0]), look, "image"


def place_of(stack: "Stacking", found: Any) -> dict[str, Any]:
    """Where layers of a result or an image lie, in its own units."""
    return {
        "scale": stack.scale(found.voxel_size),
        "units": stack.units(found.unit),
        "axis_labels": tuple(stack.axes),
    }


def _holds_zarr(folder: Path) -> bool:
    """Whether a folder is a Zarr array, or an OME-Zarr image, of any version."""
    if (folder / ".zarray").is_file():
        return True
    root, older = _json(folder / "zarr.json"), _json(folder / ".zattrs")
    attributes = root.get("attributes", older)
    # Several images, as bioformats2raw writes them: the first one is opened.
    first = folder / "0"
    return (
        root.get("node_type") == "array"
        or bool(attributes.get("ome", attributes).get("multiscales"))
        or ("bioformats2raw.layout" in str(attributes) and _holds_zarr(first))
    )


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _holds_pictures(folder: Path) -> bool:
    """Whether a folder has one file a slice, or pictures in its parts."""
    from napari_sashiko.volumes import is_portfolio, pictures_in  # noqa: PLC0415

    return is_portfolio(folder) or bool(pictures_in(folder))
