"""The course of a run that learns from paint, whether it may change or not."""

import time
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np

from napari_sashiko.errors import LabelError
from napari_sashiko.runners import Event, Message, choose_device
from napari_sashiko.training._desk import Desk
from napari_sashiko.training.chooser import Chooser
from napari_sashiko.training.events import TrainingStarted
from napari_sashiko.training.paint_crew import PaintCrew
from napari_sashiko.training.painting import Painted
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.training.teacher import FEWEST, MOST, Teacher
from napari_sashiko.training.woods import forest_member, weigh_forest
from napari_sashiko.volumes import Normalisation, Volume, measure_normalisation

THOROUGH = (24, 96)  # blocks and their edge, for the correction of class shares
PAUSE = 0.02  # seconds between looks at networks and paint


def check(volume: Volume, painted: Painted) -> Painted:
    """Paint that can be learned from, with its classes in the order of their ids.

    Raises
    ------
    LabelError
        If there is too little, or it does not belong to the volume.
    """
    labelled, classes = painted
    if tuple(labelled.shape) != volume.shape:
        raise LabelError(
            f"Labels of shape {tuple(labelled.shape)} do not fit the image "
            f"{volume.name!r} of shape {volume.shape}.",
            "Paint on a label layer of the image's own shape.",
        )
    found = set(np.unique(labelled.values).tolist())
    if not found:
        raise LabelError("Nothing is labelled yet.", "Paint at least two classes.")
    if len(found) == 1:
        raise LabelError(
            f"Only class {found.pop()} is painted.",
            "Paint at least one more: the background is a class like any other.",
        )
    unknown = found - {c.id for c in classes}
    if unknown:
        raise LabelError(
            f"Label {min(unknown)} belongs to no class.",
            f"Classes: {', '.join(str(c.id) for c in classes)}.",
        )
    # In order of their ids, so that channels are found by searching.
    known = sorted((c for c in classes if c.id in found), key=lambda c: c.id)
    return labelled, tuple(known)


def lay_out(
    volume: Volume,
    painted: Painted,
    settings: TrainingSettings,
    out: Path,
    *,
    live: bool,
    settled: bool,
    normalisation: Normalisation | None = None,
) -> Desk:
    """Make the choices of a run; `settled` ones stay whatever is painted later."""
    started = time.monotonic()
    device = choose_device(settings.device)
    labelled, classes = painted
    return Desk(
        volume=volume,
        labelled=labelled,
        classes=classes,
        settings=settings,
        chooser=Chooser(volume, settings, device.type, settled=settled),
        normalisation=normalisation or measure_normalisation(volume, settings.seed),
        device=device,
        out=out,
        started=started,
        is_live=live,
    )


def warn(desk: Desk) -> Iterator[Event]:
    """Say what is odd about the image, before anything is built for it."""
    if desk.normalisation.is_constant:
        yield Message(f"{desk.volume.name!r} has the same value everywhere.", "warning")


def introduce(desk: Desk) -> Iterator[Event]:
    """Say what is trained and why."""
    yield from desk.deal()
    members = desk.settings.members + desk.has_forest
    yield TrainingStarted(desk.describe(), members, desk.parameters)
    if desk.folds.note:
        yield Message(desk.folds.note)
    if not desk.settings.members and not desk.settings.forest:
        yield Message("No networks and no forest: a forest is trained all the same.")


def learn(
    desk: Desk, crew: PaintCrew, teacher: Teacher
) -> Generator[Event, None, None]:
    """All that follows from the paint, the quickest first."""
    hurry = desk.is_live and bool(desk.settings.members) and not crew.started
    if desk.has_forest:
        yield from forest_member(desk)
        if not hurry:
            yield from weigh_forest(desk)
    if not desk.settings.members:
        return
    lessons = yield from teacher.teach(FEWEST if hurry else MOST)
    if not crew.started:
        yield from crew.renew()
    crew.teach(lessons)
    if not crew.started:
        crew.start()
    if hurry:
        # Networks are learning already; what can be better comes to them later.
        if desk.has_forest:
            yield from weigh_forest(desk)
        lessons = yield from teacher.teach()
        crew.teach(lessons)
    if lessons and not desk.was_taught:
        desk.was_taught = True
        count = len(lessons[0].images)
        yield desk.decide(f"The forest teaches networks at {count} random places.")
