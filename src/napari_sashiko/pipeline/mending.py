"""Mend a path: a project with all that is in it, a model, a prediction, paint."""

from collections.abc import Generator
from pathlib import Path

from napari_sashiko.errors import OutputError
from napari_sashiko.labels import LabelStore, holds_paint
from napari_sashiko.pipeline.info import MODEL_INDEX, kind_of
from napari_sashiko.pipeline.project import INDEX, ROOMS
from napari_sashiko.pipeline.reopening import Inspection
from napari_sashiko.prediction import KINDS, mend_prediction
from napari_sashiko.runners import Event, Tick
from napari_sashiko.volumes import FolderLock


def mend_steps(path: Path | str) -> Generator[Event, None, tuple[str, ...]]:
    """Mend what is damaged and say what it was; what is whole stays as it is.

    Damaged files are never overwritten: a copy is kept beside them, as
    ``NAME.damaged``.

    Parameters
    ----------
    path : path
        Project, model, prediction, or folder of paint.

    Yields
    ------
    Tick

    Returns
    -------
    tuple of str
        What was damaged and what was kept, a sentence each; empty if all is whole.

    Raises
    ------
    SashikoError
        If it is none of these, is damaged beyond mending, comes from a newer version,
        or is open in a window.
    """
    path = Path(path).absolute()
    if not path.is_dir():
        raise OutputError(f"{path} is no folder.", "Name a project, model, prediction.")
    if (path / MODEL_INDEX).exists():
        from napari_sashiko.checkpoints import mend_model  # noqa: PLC0415 - loads torch

        words = mend_model(path)
        return (words,) if words else ()
    if kind_of(path) in KINDS:
        return tuple((yield from mend_prediction(path)))
    if holds_paint(path):
        return LabelStore.rescue(path).mended
    if (path / INDEX).exists() or any((path / room).is_dir() for room in ROOMS):
        return (yield from _mend_project(path))
    raise OutputError(
        f"{path} is neither a project nor a model, a prediction or paint.",
        "Nothing was changed.",
    )


def _mend_project(folder: Path) -> Generator[Event, None, tuple[str, ...]]:
    lock = FolderLock(folder)
    holder = lock.take()
    if holder is not None:
        raise OutputError(
            f"The project {folder} is open in a window: {holder}.", "Close it first."
        )
    try:
        look = Inspection(folder, readonly=False)
        yield Tick()
        look.tidy()
        look.open()
        if holds_paint(folder / "labels"):
            look.findings += LabelStore.rescue(folder / "labels").mended
        for path in look.project.models():
            yield Tick()
            look.whole_model(path)
        for path in look.project.predictions():
            yield from look.whole_prediction(path)
        for path in look.project.instances():
            look.whole_instances(path)
        look.measurements()
    finally:
        lock.release()
    return tuple(look.findings)
