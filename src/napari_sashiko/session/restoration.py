"""Learning to restore an image and restoring it, as one job."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.runners import Event, Tick
from napari_sashiko.session.home import project_folder
from napari_sashiko.session.shelf import ModelShelf
from napari_sashiko.session.unveiling import unveiled
from napari_sashiko.volumes import Volume


@dataclass(frozen=True)
class Restoration:
    """What is restored, and how.

    Parameters
    ----------
    volume : Volume
        The image as it is.
    name : str
        Of the image: model and result are named after it.
    path : Path or None
        Its file, if it has one.
    settings : Any
        `RestoreSettings`; not looked at where there is a model.
    clean : Volume or None
        The image as it should be.
    model : Path or None
        A model that has learned it; None learns one.
    """

    volume: Volume
    name: str
    path: Path | None
    settings: Any
    clean: Volume | None = None
    model: Path | None = None

    @property
    def folder(self) -> Path:
        """The project of the image."""
        return project_folder(self.name, self.path, self.volume.digest)


def restorers(folder: Path) -> list[Path]:
    """Models of a project that restore images, the newest first."""
    found = [path.parent for path in folder.glob("restorers/*/model.json")]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def restored(
    engine: Callable[[], Any], wanted: Restoration, room: threading.Event
) -> Iterator[Event]:
    """Learn where no model is given, then make the image.

    Parameters
    ----------
    engine : callable
        Returns the pipeline; called in the job, for that may load it.
    wanted : Restoration
        What is restored.
    room : threading.Event
        Set when there is room for the result: the first block waits for it.

    Yields
    ------
    Event
        Of the training, then `PredictionOpened`, `CellDone`, `PredictionDone`.
    """
    yield Tick()
    pipeline, folder = engine(), wanted.folder
    yield Tick()
    model = wanted.model
    if model is None:
        place = folder / "restorers"
        place.mkdir(parents=True, exist_ok=True)
        model = ModelShelf.new_path(place, wanted.name)
        steps = pipeline.restore_steps(
            wanted.volume, wanted.settings, model, clean=wanted.clean
        )
        with closing(steps):
            yield from steps
    place = folder / "restored"
    place.mkdir(parents=True, exist_ok=True)
    out = place / f"{model.stem}.zarr"
    device = {} if wanted.model else {"device": wanted.settings.device}
    yield from unveiled(
        pipeline.predict_steps(
            model, wanted.volume, out, pipeline.PredictionSettings(**device)
        ),
        pipeline.open_restored,
        room,
    )
