"""Do a task: read, predict, write its cells; the same in threads and on a cluster."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Semaphore
from typing import Any, NamedTuple

import numpy as np

from napari_sashiko.errors import ModelError
from napari_sashiko.patches import Cell
from napari_sashiko.prediction._blend import Blender
from napari_sashiko.prediction._inference import Inference, Pair
from napari_sashiko.prediction.plan import Plan
from napari_sashiko.prediction.predictor import Predictor
from napari_sashiko.prediction.store import Layout, PredictionStore
from napari_sashiko.runners import check_not_cancelled, torch_threads
from napari_sashiko.volumes import open_volume

KEPT_OPEN = 4
UNNAMED = "unnamed"  # weights that came from nowhere


def no_tick() -> None:
    """Nobody can stop this work from here."""


class Outcome(NamedTuple):
    """What is told of a task whose cells are on disk.

    Parameters
    ----------
    most_voxels : int or None
        Most voxels of a window, once memory ran out; None while it suffices.
    sizes : tuple of int
        Bytes on disk of each cell.
    """

    most_voxels: int | None
    sizes: tuple[int, ...]


@dataclass
class Worker:
    """Everything that one process needs, opened once.

    Parameters
    ----------
    predictor : Predictor
        Patch in, mean and deviation out.
    volume : Volume
        What is read.
    store : PredictionStore
        Where results go.
    plan : Plan
        How the volume is cut.
    tick : callable
        Raises when the work was stopped.
    at_once : int
        Windows that the predictor looks at side by side.
    """

    predictor: Predictor
    volume: Any
    store: PredictionStore
    plan: Plan
    tick: Callable[[], None] = no_tick
    at_once: int = 1
    inference: Inference = field(init=False)
    _blender: Blender | None = field(init=False, default=None)
    _ids: Any = field(init=False)

    def __post_init__(self) -> None:
        plan = self.plan
        turns = Semaphore(self.at_once)
        self.inference = Inference(
            self.predictor, self.volume, plan.border, self.tick, turns=turns
        )
        classes = self.predictor.card.classes
        self._ids = np.array([each.id for each in classes], np.uint8)
        if plan.border_weight > 0:
            self._blender = Blender(self.inference, plan)

    def expect(self, cells: Iterable[Cell]) -> None:
        """Say which cells will come, in their order: what they share is kept."""
        if self._blender is not None:
            self._blender.expect(cells)

    def __call__(self, cells: tuple[Cell, ...]) -> Outcome:
        """Predict and store the cells of a task."""
        self.expect(cells)
        sizes = []
        try:
            for cell in cells:
                mean, std = self._predict(cell)
                self.tick()  # a stopped run must not write any more
                sizes.append(self.store.write(cell.cell, mean, std, self._ids))
        finally:
            if self._blender is not None:
                self._blender.forget(cells)
        return Outcome(self.inference.most_voxels, tuple(sizes))

    def _predict(self, cell: Cell) -> Pair:
        if self._blender is not None:
            return self._blender.predict(cell)
        return self.inference.predict(cell.cell, cell.window)


@dataclass(frozen=True)
class RemoteWorker:
    """What travels to another process: paths and numbers, no handles.

    Parameters
    ----------
    model : str or Predictor
        Folder of the model, or a predictor that can be pickled.
    digest : str
        Name of the model's weights.
    source : str
        JSON: how the volume is opened again.
    out : str
        Folder of the prediction.
    plan, layout
        How the volume is cut and stored.
    device : str
        Where the networks run.
    threads : int
        Of one operation: as many as elsewhere, for the same rounding.
    """

    model: Any = field(compare=False)  # found again by its digest
    digest: str
    source: str
    out: str
    plan: Plan
    layout: Layout
    device: str
    threads: int

    def __call__(self, cells: tuple[Cell, ...]) -> Outcome:
        """Predict and store the cells of a task in this process."""
        with torch_threads(self.threads):
            return _opened(self)(cells)


@lru_cache(maxsize=KEPT_OPEN)
def _opened(remote: RemoteWorker) -> Worker:
    # Cached by value: a cluster unpickles the function for every task.
    predictor = load_predictor(remote.model, remote.device)
    if predictor_digest(predictor) not in (remote.digest, UNNAMED):
        raise ModelError(
            f"The model {remote.model} changed while it was at work.", "Start again."
        )
    volume = open_volume(**json.loads(remote.source))
    store = PredictionStore(Path(remote.out), remote.layout)
    return Worker(predictor, volume, store, remote.plan, check_not_cancelled)


def predictor_digest(predictor: Predictor) -> str:
    """Name of the weights of a predictor, as they were when it was opened."""
    return str(getattr(predictor, "digest", "") or UNNAMED)


def load_predictor(model: Any, device: str) -> Predictor:
    """Open a model folder on a device; a predictor is handed through."""
    if not isinstance(model, str | Path):
        return model  # type: ignore[no-any-return]
    from napari_sashiko.checkpoints import load_ensemble  # noqa: PLC0415 - loads torch
    from napari_sashiko.runners import choose_device  # noqa: PLC0415

    return load_ensemble(Path(model), str(choose_device(device)))
