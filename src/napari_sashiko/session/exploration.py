"""Learning to explore an image and looking at its patches, as one job."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.runners import Event, Tick
from napari_sashiko.session.home import project_folder
from napari_sashiko.session.shelf import ModelShelf
from napari_sashiko.volumes import Volume

MODELS = "explorers"


@dataclass(frozen=True)
class Exploration:
    """What is explored, and how.

    Parameters
    ----------
    volume : Volume
        The image.
    name : str
        Of the image: model and table are named after it.
    path : Path or None
        Its file, if it has one.
    settings : Any
        `ExploreSettings`; not looked at where there is a model.
    looking : Any
        `EmbedSettings`.
    model : Path or None
        A model of this image or of another one; None learns one.
    """

    volume: Volume
    name: str
    path: Path | None
    settings: Any
    looking: Any
    model: Path | None = None

    @property
    def folder(self) -> Path:
        """The project of the image."""
        return project_folder(self.name, self.path, self.volume.digest)


def explorers(folders: list[Path]) -> list[Path]:
    """Models of projects that explore images, the newest first."""
    found = {
        path.parent
        for folder in folders
        for path in folder.glob(f"{MODELS}/*/model.json")
    }
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def explored(engine: Callable[[], Any], wanted: Exploration) -> Iterator[Event]:
    """Learn where no model is given, then look at the patches of the image.

    Parameters
    ----------
    engine : callable
        Returns the pipeline; called in the job, for that may load it.
    wanted : Exploration
        What is explored.

    Yields
    ------
    Event
        Of the training, then `Progress` and `EmbedDone`.
    """
    yield Tick()
    pipeline, folder = engine(), wanted.folder
    yield Tick()
    model = wanted.model
    if model is None:
        place = folder / MODELS
        place.mkdir(parents=True, exist_ok=True)
        model = ModelShelf.new_path(place, wanted.name)
        steps = pipeline.explore_steps(wanted.volume, wanted.settings, model)
        with closing(steps):
            yield from steps
    place = folder / "explored"
    place.mkdir(parents=True, exist_ok=True)
    out = place / f"{model.stem}.csv"
    steps = pipeline.embed_steps(model, wanted.volume, out, wanted.looking)
    with closing(steps):
        yield from steps
