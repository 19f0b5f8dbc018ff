"""What a project holds, gathered in the background for whoever shows it again."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.errors import SashikoError
from napari_sashiko.runners import Event, Tick
from napari_sashiko.session.paint import Paint, has_paint, open_paint
from napari_sashiko.volumes import Volume

ROOMS = {"models": ("model", "*/model.json"), "predictions": ("segmentation", "*.zarr"),
         "instances": ("set of objects", "*.zarr")}  # fmt: skip


@dataclass(frozen=True)
class Reopening:
    """What there is to be shown again.

    Parameters
    ----------
    volume : Volume
        The image that it belongs to.
    found : Reopened
        Model, results, settings and what is damaged, as the engine tells it.
    paint : Paint or None
        The paint, open; None where there is none, or it is shown already.
    problems : tuple of str
        What could not be opened.
    """

    volume: Volume
    found: Any
    paint: Paint | None
    problems: tuple[str, ...]


def kept_words(folder: Path | None) -> str:
    """Say what a project holds beside paint, e.g. ``2 models, 1 segmentation``."""
    if folder is None or not folder.is_dir():
        return ""
    words = []
    for room, (name, pattern) in ROOMS.items():
        count = sum(1 for _ in (folder / room).glob(pattern))
        if count:
            words.append(f"{count} {name}{'' if count == 1 else 's'}")
    return ", ".join(words)


def reopen(
    engine: Callable[[], Any],
    volume: Volume,
    folder: Path,
    *,
    paint: bool,
    readonly: bool,
) -> Generator[Event, None, Reopening]:
    """Gather what a project holds; mends what is damaged, unless it is `readonly`.

    Parameters
    ----------
    engine : callable
        Gives what the pipeline room offers; may take seconds the first time.
    volume : Volume
        The image.
    folder : Path
        Its project.
    paint : bool
        Whether to open the paint, too.
    readonly : bool
        Another window works in the project.

    Yields
    ------
    Event

    Returns
    -------
    Reopening
    """
    opened, problems = None, []
    if paint and has_paint(folder / "labels"):
        yield Tick()
        try:
            opened = open_paint(folder / "labels", volume.stacking, readonly=readonly)
        except SashikoError as error:
            problems.append(str(error))
    found = yield from engine().reopen_project(folder, volume, readonly=readonly)
    return Reopening(volume, found, opened, tuple(problems))
