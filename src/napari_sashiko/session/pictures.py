"""A folder of pictures: looking at it, training on it, segmenting and scoring one."""

import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.runners import Event, Tick
from napari_sashiko.session.home import plain_name, project_folder
from napari_sashiko.session.shelf import ModelShelf

MODELS, RESULTS = "models", "pictures"  # rooms of the project


@dataclass(frozen=True)
class PictureFolder:
    """A folder of pictures that is learned from, and its project beside it.

    Parameters
    ----------
    path : Path
        The folder.
    unlabelled : str
        Value of pixels that are not labelled, or ``"none"``.
    names : tuple of str
        Of the classes, in the order of their values; none takes those of the folder.
    pixels : int or None
        Labelled pixels that are learned from; None takes the usual number.
    """

    path: Path
    unlabelled: str = "0"
    names: tuple[str, ...] = ()
    pixels: int | None = None

    @property
    def project(self) -> Path:
        """Where models and results lie."""
        return project_folder(self.path.name, self.path, self._digest)

    def results_of(self, model: Path, folder: Path) -> Path:
        """Where results of a folder by a model lie."""
        name = plain_name(f"{folder.parent.name} {folder.name}")
        return self.project / RESULTS / model.stem / name

    def looked_at(self, engine: Callable[[], Any]) -> Generator[Event, None, Any]:
        """Look at pictures and labels; returns `FolderFound`."""
        yield Tick()
        pipeline = engine()
        found = yield from pipeline.look_steps(
            self.path, classes=self.names or None, settings=self._settings(pipeline)
        )
        return found

    def trained(
        self, engine: Callable[[], Any], settings: Any, start: Path | None = None
    ) -> Iterator[Event]:
        """Train on the folder; `start` is a model whose networks go on learning."""
        yield Tick()
        pipeline, place = engine(), self.project / MODELS
        place.mkdir(parents=True, exist_ok=True)
        steps = pipeline.train_steps(
            self.path,
            None,
            self.names or None,
            settings,
            ModelShelf.new_path(place, self.path.name),
            start=start,
            folder=self._settings(pipeline),
        )
        with closing(steps):
            yield from steps

    def applied(
        self, engine: Callable[[], Any], model: Path, folder: Path, settings: Any = None
    ) -> Iterator[Event]:
        """Segment every picture of a folder with a model."""
        yield Tick()
        out = self.results_of(model, folder)
        out.parent.mkdir(parents=True, exist_ok=True)
        with closing(engine().apply_steps(model, folder, out, settings)) as steps:
            yield from steps

    def compared(
        self,
        engine: Callable[[], Any],
        model: Path,
        folder: Path,
        clean: Path | None = None,
    ) -> Iterator[Event]:
        """Score results of a folder by its own labels; restored ones by clean ones."""
        yield Tick()
        out = self.results_of(model, folder)
        with closing(engine().compare_steps(out, clean or folder)) as steps:
            yield from steps

    def _settings(self, pipeline: Any) -> Any:
        values: dict[str, Any] = {"unlabelled": self.unlabelled}
        if self.pixels is not None:
            values["pixels"] = self.pixels
        return pipeline.FolderSettings.checked(**values)

    def _digest(self) -> str:
        return hashlib.sha256(str(self.path.absolute()).encode()).hexdigest()
