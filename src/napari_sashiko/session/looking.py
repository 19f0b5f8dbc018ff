"""Looking for places: in a finished prediction of the model, else by asking it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_sashiko.errors import SashikoError
from napari_sashiko.runners import Event, Tick
from napari_sashiko.session.paint import Paint
from napari_sashiko.volumes import Volume


def looked_for(
    engine: Any,
    model: Path,
    prediction: Path,
    volume: Volume,
    paint: Paint | None,
    *,
    settings: Any = None,
) -> Iterator[Event]:
    """Search for places; a prediction is read in less time than a model predicts.

    Parameters
    ----------
    engine : module or object
        The pipeline.
    model, prediction : Path
        The model, and where its prediction of the volume would be.
    volume : Volume
        The image.
    paint : Paint, optional
        The strokes, as they are now.
    settings : PlacesSettings, optional
        How many, how far apart, how long.

    Yields
    ------
    Event
        As the pipeline's ``place_steps``.
    """
    yield Tick()
    labelled = None if paint is None else paint.labelled()
    yield Tick()
    done = _is_finished(engine, model, prediction, volume)
    source = prediction if done else model
    yield from engine.place_steps(source, volume, labelled, settings)


def _is_finished(engine: Any, model: Path, prediction: Path, volume: Volume) -> bool:
    if not prediction.exists():
        return False
    try:
        blocks = engine.check_prediction(model, volume, prediction)
    except SashikoError:  # of the model before, or damaged: the model itself will do
        return False
    return blocks is not None and blocks[0] == blocks[1]
