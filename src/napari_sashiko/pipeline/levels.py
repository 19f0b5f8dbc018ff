"""Coarser levels of a result that is finished, for viewers."""

import contextlib
from collections.abc import Generator, Iterator
from pathlib import Path

from napari_sashiko.prediction import PredictionStarted
from napari_sashiko.runners import Event, Message, Run, RunnerSettings, open_runner
from napari_sashiko.volumes import drop_levels, write_levels
from napari_sashiko.volumes.pyramid import How

IMAGES: dict[str, How] = {
    "classes": "commonest",  # first: what is looked at first
    "mean": "mean",
    "std": "mean",
    "fbp": "mean",
    "labels": "commonest",
    "sizes": "commonest",
}


def with_levels(
    steps: Iterator[Event], done: type[Event], out: Path, settings: RunnerSettings
) -> Generator[Event, None, None]:
    """Pass the events of a step on; before the last, write the levels of its result.

    Levels of a result that is not complete any more are dropped. A level that cannot be
    written is said and costs nothing else: the result is whole without it.

    Parameters
    ----------
    steps : generator of Event
        What makes the result; closed with this one.
    done : type
        Its last event.
    out : Path
        Folder of the result.
    settings : RunnerSettings
        Where the step runs; levels are made on this machine.

    Yields
    ------
    Event
    """
    with contextlib.closing(steps):  # type: ignore[type-var]
        for event in steps:
            if isinstance(event, PredictionStarted) and event.done < event.cells:
                for image in _images(out):
                    drop_levels(image)
            if isinstance(event, done):
                yield from _levels(out, settings)
            yield event


def _levels(out: Path, settings: RunnerSettings) -> Iterator[Event]:
    near = settings.runner != "dask"
    with open_runner(
        settings.runner if near else "threads",
        workers=settings.workers if near else None,
    ) as run:
        try:
            yield from _written(out, run)
        except OSError as error:
            yield Message(
                f"Coarser levels of {out} cannot be written: "
                f"{error.strerror or error}. Viewers show it more slowly.",
                "warning",
            )


def _written(out: Path, run: Run) -> Iterator[Event]:
    for image in _images(out):
        yield from write_levels(image, IMAGES[image.name], run)


def _images(out: Path) -> list[Path]:
    return [out / name for name in IMAGES if (out / name).is_dir()]
