"""What is learned of an image and what is made of it then, as one job."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from napari_sashiko.runners import Event, Tick
from napari_sashiko.session.home import volume_folder
from napari_sashiko.session.shelf import ModelShelf
from napari_sashiko.volumes import Volume


@dataclass(frozen=True)
class ImageTask:
    """Learn of an image where no model is given, then make something of the image.

    Parameters
    ----------
    volume : Volume
        The image.
    name : str
        Of the image: models and results are named after it.
    path : Path or None
        Its file, if it has one.
    settings : Any
        Of the training; None where nothing is to be learned.
    model : Path or None
        A model that has learned it; None learns one.
    project : Path or None
        Where models and results go; None for the usual place.

    Attributes
    ----------
    models, results : str
        Where they lie in the project of the image.
    """

    models: ClassVar[str]
    results: ClassVar[str]

    volume: Volume
    name: str
    path: Path | None
    settings: Any = None
    model: Path | None = None
    project: Path | None = None

    @property
    def folder(self) -> Path:
        """The project of the image."""
        return self.project or volume_folder(self.name, self.path, self.volume)

    def learn(self, pipeline: Any, out: Path) -> Iterator[Event]:
        """Steps that write a model to `out`."""
        raise NotImplementedError

    def make(self, pipeline: Any, model: Path | None, place: Path) -> Iterator[Event]:
        """Steps that write the result into the folder `place`."""
        raise NotImplementedError

    def steps(self, engine: Callable[[], Any]) -> Iterator[Event]:
        """Do both, one after the other; closing keeps what is finished.

        Parameters
        ----------
        engine : callable
            Returns the pipeline; called in the job, for that may load it.

        Yields
        ------
        Event
            Of the training, then of what is made.
        """
        yield Tick()
        pipeline, folder = engine(), self.folder
        yield Tick()
        model = self.model
        if model is None and self.settings is not None:
            model = ModelShelf.new_path(_made(folder / self.models), self.name)
            yield from _closed(self.learn(pipeline, model))
        yield from _closed(self.make(pipeline, model, _made(folder / self.results)))


def result_name(name: str, volume: Volume, *facts: Any) -> str:
    """Name of what is made of a volume: of another one, or otherwise, another name.

    Whatever a result must agree with to be gone on with is in the name, voxel size and
    unit of the image too, so that nothing is refused for what was made before.

    Parameters
    ----------
    name : str
        What makes it.
    volume : Volume
        What it is made of.
    *facts
        How it is made, as JSON takes them.
    """
    text = json.dumps([volume.digest(), *facts])
    return f"{name} {hashlib.sha256(text.encode()).hexdigest()[:8]}.zarr"


def known_models(folders: list[Path], room: str) -> list[Path]:
    """Models in one room of several projects, the newest first."""
    found = {
        path.parent
        for folder in folders
        for path in folder.glob(f"{room}/*/model.json")
    }
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _closed(steps: Iterator[Event]) -> Iterator[Event]:
    with closing(steps):  # type: ignore[type-var]
        yield from steps
