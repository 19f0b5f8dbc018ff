"""The step that looks for places: unsure ones, and strokes that are disagreed with."""

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from napari_sashiko.labels import Dispute, LabelledVoxels
from napari_sashiko.pipeline.inputs import open_image, read_paint
from napari_sashiko.pipeline.models import open_model
from napari_sashiko.prediction import (
    PlacesSettings,
    find_places,
    places_in_prediction,
)
from napari_sashiko.runners import Event
from napari_sashiko.volumes import Volume

SHARE_OF_PAINT = 0.3  # of the time, at most, for what other strokes say
LEAST_SECONDS = 1.0


def place_steps(
    source: Path | str,
    image: Any,
    labels: Any,
    settings: PlacesSettings | None,
) -> Iterator[Event]:
    """Look for places that are unsure, and for paint that is disagreed with.

    Parameters
    ----------
    source : path
        Model folder; or the folder NAME.zarr of a finished prediction, which is read
        faster than a model predicts.
    image : path, array or Volume
        The image.
    labels : path, array, Volume or LabelledVoxels, or None
        The paint, if there is any. Its strokes are judged by the source and, since that
        may have learned from them, by what the other strokes say.
    settings : PlacesSettings or None
        How many, how far apart, how long; None takes the defaults.

    Yields
    ------
    Event
        `Progress`, `Message`, `Tick`, `PlacesFound`.

    Raises
    ------
    SashikoError
        If source, image, labels or settings cannot be used.
    """
    chosen, path = settings or PlacesSettings(), Path(source)
    volume = open_image(image)
    paint = None if labels is None else read_paint(labels, image=volume).labelled
    is_prediction = (path / "zarr.json").exists()
    model = None if is_prediction else open_model(path, chosen.device)
    start = time.monotonic()
    disputes = yield from _disputed(volume, paint, chosen)
    if chosen.seconds is not None:
        left = max(LEAST_SECONDS, chosen.seconds - (time.monotonic() - start))
        chosen = chosen.model_copy(update={"seconds": left})
    if model is None:
        yield from places_in_prediction(path, volume, paint, chosen, disputes=disputes)
    else:
        yield from find_places(model, volume, paint, chosen, disputes=disputes)


def _disputed(
    volume: Volume, paint: LabelledVoxels | None, settings: PlacesSettings
) -> Generator[Event, None, list[Dispute]]:
    """What other strokes say; paint of another shape is refused later."""
    if paint is None or paint.shape != volume.shape:
        return []
    from napari_sashiko.training import (  # noqa: PLC0415 - loads torch
        disputed_by_others,
    )

    limit = None if settings.seconds is None else SHARE_OF_PAINT * settings.seconds
    return (
        yield from disputed_by_others(
            volume, paint, most=settings.count, seed=settings.seed, seconds=limit
        )
    )
