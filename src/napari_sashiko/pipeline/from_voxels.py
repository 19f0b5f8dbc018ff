"""Figures from voxels: image, paint, prediction and objects, read by blocks."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import PlotError, SettingsError
from napari_sashiko.labels import LabelClass, LabelledVoxels, class_of_objects
from napari_sashiko.pipeline.evidence import Evidence
from napari_sashiko.pipeline.found import Instances
from napari_sashiko.pipeline.results import Prediction
from napari_sashiko.plots import (
    Directions,
    Intensities,
    PlotSettings,
    Slices,
    count_intensities,
    measure_directions,
    random_regions,
    read_painted,
    read_predicted,
    shown_part,
)
from napari_sashiko.runners import Event, Tick
from napari_sashiko.volumes import Region, Stacking, reading
from napari_sashiko.volumes import Slices as StackedSlices

PART = (32, 64, 64)  # voxels of a block of which classes and grey values are read
AGAIN = "Segment the volume again."


def intensities_from(
    evidence: Evidence, settings: PlotSettings
) -> Generator[Event, None, Intensities]:
    """Grey values of paint, and of predicted classes in blocks at random places."""
    volume = evidence.volume
    painted: dict[int, NDArray[Any]] = {}
    predicted: dict[int, NDArray[Any]] = {}
    notes = []
    if evidence.sources.labels is not None:
        paint = evidence.paint.labelled
        check_same(volume.shape, paint.shape, "paint")
        painted = yield from read_painted(volume, paint, seed=settings.seed)
    if evidence.sources.prediction is not None:
        ids = StackedSlices(evidence.prediction.class_ids)
        check_same(volume.shape, ids.shape, "prediction")
        count = 2 * settings.blocks
        regions = random_regions(volume.shape, PART, count, settings.seed)
        with reading(f"The prediction {evidence.prediction.path}", AGAIN):
            predicted = yield from read_predicted(volume, ids, regions)
        notes.append(
            f"Predicted: {len(regions)} blocks at random places, seed {settings.seed}."
        )
    if not (painted or predicted):
        raise PlotError("No voxel is painted or predicted.", "Paint some strokes.")
    channel = "" if volume.channels == 1 else f"channel 1 of {volume.channels}"
    return count_intensities(
        evidence.classes,
        painted,
        predicted,
        bins=settings.bins,
        channel=channel,
        note=" ".join(notes),
    )


def directions_from(
    evidence: Evidence, settings: PlotSettings
) -> Generator[Event, None, Directions]:
    """Of the objects where there are any of the class, else of its voxels."""
    objects = None
    if evidence.sources.instances is not None:
        objects = evidence.instances
    wanted = settings.label_class
    if objects is not None and _is_of(objects, wanted, evidence):
        return (
            yield from _measured(
                StackedSlices(objects.labels),
                lambda block: block > 0,
                objects.voxel_size,
                settings,
                apart=objects.apart,
                unit=objects.unit,
                class_name=objects.class_name,
                what="Objects of",
            )
        )
    found = evidence.prediction
    label_class = _class_of(found, wanted)
    return (
        yield from _measured(
            StackedSlices(found.class_ids),
            lambda block: None if (block == 0).any() else block == label_class.id,
            found.voxel_size,
            settings,
            apart=found.stack.count > 1,
            unit=found.unit,
            class_name=label_class.name,
            what="Voxels of the class in",
        )
    )


def _measured(
    array: StackedSlices,
    mask: Callable[[NDArray[Any]], NDArray[np.bool_] | None],
    voxel_size: tuple[float, ...],
    settings: PlotSettings,
    *,
    apart: bool,
    **words: str,
) -> Generator[Event, None, Directions]:
    if apart or array.depth == 1:
        what = "Time points and separate images have" if apart else "A single image has"
        raise PlotError(f"{what} no directions in space.")

    def read(region: Region) -> NDArray[np.bool_] | None:
        with reading("The segmented volume", AGAIN):
            return mask(array[region])

    found = yield from measure_directions(
        read, array.shape, voxel_size, settings, **words
    )
    return found


def _is_of(objects: Instances, wanted: int | str | None, evidence: Evidence) -> bool:
    if wanted is None:
        return True
    named = {str(each.id): each.name for each in evidence.classes}
    return objects.class_name in (wanted, named.get(str(wanted)))


def _class_of(found: Prediction, wanted: int | str | None) -> LabelClass:
    if wanted is None:
        return class_of_objects(found.classes)
    for each in found.classes:
        if wanted in (each.id, each.name, str(each.id)):
            return each
    known = ", ".join(f"{each.id} ({each.name})" for each in found.classes)
    raise SettingsError(f"There is no class {wanted!r}.", f"Classes: {known}.")


def check_same(image: tuple[int, ...], other: tuple[int, ...], what: str) -> None:
    """Refuse paint or a prediction of another image.

    Raises
    ------
    PlotError
        Naming both shapes.
    """
    if tuple(image) != tuple(other):
        raise PlotError(
            f"The image has the shape {tuple(image)}, the {what} {tuple(other)}.",
            "They do not belong together.",
        )


def slices_from(
    evidence: Evidence, settings: PlotSettings
) -> Generator[Event, None, Slices]:
    """One plane of all that there is: image, paint, classes, deviation."""
    sources = evidence.sources
    volume = None if sources.image is None else evidence.volume
    found = None if sources.prediction is None else evidence.prediction
    if volume is not None:
        stack, size, unit = volume.stacking, volume.voxel_size, volume.unit
    elif found is not None:
        stack, size, unit = found.stack, found.voxel_size, found.unit
    else:
        raise PlotError("There is neither an image nor a prediction to show.")
    yield Tick()
    shape = stack.shape
    if found is not None:
        check_same(shape, found.stack.shape, "prediction")
    paint = None
    if sources.labels is not None:
        paint = evidence.paint.labelled
        check_same(shape, paint.shape, "paint")
    plane = _plane(settings.plane, shape, paint)
    here = _painted_on(paint, plane)
    center = here[:, :2].mean(axis=0) if len(here) else None
    rows, columns = shown_part(shape, center)
    region = (slice(plane, plane + 1), rows, columns)
    image = None if volume is None else _picture(volume.read(region)[:, 0])
    yield Tick()
    classes = std = None
    if found is not None:
        with reading(f"The prediction {found.path}", AGAIN):
            classes = StackedSlices(found.class_ids)[region][0]
            spread = StackedSlices(found.std)[(slice(None), *region)][:, 0]
            std = np.asarray(spread, np.float32).max(axis=0)
    return Slices(
        image,
        _paint_picture(here, rows, columns) if len(here) else None,
        classes,
        std,
        evidence.classes,
        (rows.start, columns.start),
        (size[1], size[2]),
        unit,
        note=_where(stack, plane, rows, columns),
    )


def _plane(
    wanted: int | None, shape: tuple[int, int, int], paint: LabelledVoxels | None
) -> int:
    if wanted is not None:
        if wanted >= shape[0]:
            raise SettingsError(
                f"There is no slice {wanted}.",
                f"The volume has slices 0 to {shape[0] - 1}.",
            )
        return wanted
    if paint is not None and len(paint):
        return int(np.bincount(paint.coords[:, 0]).argmax())
    return shape[0] // 2


def _painted_on(paint: LabelledVoxels | None, plane: int) -> NDArray[np.int64]:
    """Painted voxels of a plane, ``(N, 3)``: y, x, class id."""
    if paint is None:
        return np.zeros((0, 3), np.int64)
    here = np.flatnonzero(paint.coords[:, 0] == plane)
    found = np.column_stack([paint.coords[here, 1:], paint.values[here]])
    return found.astype(np.int64)


def _picture(channels: NDArray[Any]) -> NDArray[Any]:
    """Grey values (y, x) of the first channel, or colours where there are three."""
    if len(channels) == 3 and channels.dtype == np.uint8:
        return np.moveaxis(channels, 0, -1) / 255.0
    plane: NDArray[Any] = channels[0]
    return plane


def _paint_picture(
    places: NDArray[np.int64], rows: slice, columns: slice
) -> NDArray[np.uint8]:
    out = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    y, x = places[:, 0] - rows.start, places[:, 1] - columns.start
    seen = (y >= 0) & (y < out.shape[0]) & (x >= 0) & (x < out.shape[1])
    out[y[seen], x[seen]] = places[seen, 2]
    return out


def _where(stack: Stacking, plane: int, rows: slice, columns: slice) -> str:
    whole = (rows.stop - rows.start, columns.stop - columns.start) == stack.shape[1:]
    part = (
        ""
        if whole
        else f", rows {rows.start} to {rows.stop - 1}, columns {columns.start} to "
        f"{columns.stop - 1}"
    )
    depth = stack.shape[0] if stack.time is None else stack.depth
    where = f"Slice {plane % depth} of 0 to {depth - 1}"
    when = "" if stack.time is None else f" at time point {plane // stack.depth}"
    return f"{where}{when}{part}."
