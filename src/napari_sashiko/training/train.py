"""The training run: forest first, then networks side by side, then their shares.

Strategy: labelled strokes are dealt to folds. Network ``i`` never sees fold ``i``, so
that what it is judged by is new to it; forests are grown once per fold for the same
reason, and teach only the network that has not seen the same fold. What both families
say about unseen strokes decides how much each counts. The model folder can be used from
the first second.

Where paint goes on changing, networks are never stopped for it: within a second they
draw their patches from the new strokes, too. The forest is grown again, then asked
again what it teaches; whatever follows from older paint is left undone.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import LabelClass, LabelledVoxels
from napari_sashiko.runners import Event, Message, Tick, choose_device
from napari_sashiko.training._desk import Desk
from napari_sashiko.training._saving import save, weigh_classes
from napari_sashiko.training.choices import make_choices
from napari_sashiko.training.events import (
    MemberSaved,
    PaintTaken,
    TrainingDone,
    TrainingRested,
    TrainingStarted,
    TrainingWaits,
)
from napari_sashiko.training.heritage import Heritage
from napari_sashiko.training.paint_crew import PaintCrew, patch_shape
from napari_sashiko.training.painting import (
    Easel,
    FinishedPainting,
    Painted,
    Painting,
)
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.training.teacher import FEWEST, MOST, Teacher
from napari_sashiko.training.woods import forest_member, weigh_forest
from napari_sashiko.volumes import Normalisation, Volume, measure_normalisation

THOROUGH = (24, 96)  # blocks and their edge, for the correction of class shares
PAUSE = 0.02  # seconds between looks at networks and paint


def train(
    volume: Volume,
    labelled: LabelledVoxels,
    classes: Sequence[LabelClass],
    settings: TrainingSettings,
    out: Path,
    *,
    heritage: Sequence[Heritage] = (),
    origin: dict[str, Any] | None = None,
) -> Iterator[Event]:
    """Train an ensemble on sparse labels.

    Closing the generator keeps the best members so far in the model folder.

    Parameters
    ----------
    volume : Volume
        The image; what surrounds paint is read, and small parts at random places.
    labelled : LabelledVoxels
        The paint, of the volume's shape.
    classes : sequence of LabelClass
        Those without paint are left out of the model.
    settings : TrainingSettings
        Everything a user may set.
    out : Path
        The model folder to write.
    heritage : sequence of Heritage, optional
        Networks to go on with; fresh ones when there are none.
    origin : dict, optional
        JSON about where the labels come from, kept in the model's record.

    Yields
    ------
    Event
        `TrainingStarted`, `EpochDone`, `MemberSaved`, `TrainingDone`, `Message`,
        `Tick`.

    Raises
    ------
    LabelError
        If the labels do not fit the image or fewer than two classes are painted.
    ModelError
        If networks to go on with look at something else.
    """
    painted = _check(volume, FinishedPainting(labelled, classes).read())
    desk = _lay_out(volume, painted, settings, Path(out), live=False)
    desk.origin = dict(origin or {})
    yield from _warn(desk)
    crew = PaintCrew(desk)
    crew.enlist(heritage)
    try:
        yield from _introduce(desk)
        yield from _learn(desk, crew, Teacher(desk, patch_shape(desk)))
        while crew.running:
            yield from crew.listen()
            yield Tick()
            time.sleep(PAUSE)
        yield from crew.listen()
        crew.stop()
        if desk.networks:
            save(desk)
            yield MemberSaved(len(desk.networks) - 1, desk.out, "networks")
            yield from weigh_classes(desk, *THOROUGH)
    finally:
        crew.stop()
        if desk.changed:
            save(desk)
    yield TrainingDone(
        path=desk.out,
        metrics=tuple(desk.metrics.items()),
        seconds=time.monotonic() - desk.started,
        fairness=desk.fairness,
    )


def train_live(
    volume: Volume,
    painting: Painting,
    settings: TrainingSettings,
    out: Path,
    *,
    heritage: Sequence[Heritage] = (),
) -> Iterator[Event]:
    """Train while the paint goes on changing; ends only when it is closed.

    Closing the generator keeps the best members so far in the model folder.

    Parameters
    ----------
    volume, settings, out, heritage
        As in `train`; ``minutes`` and ``epochs`` are what is spent on the first paint,
        and less than half of it again on what is added.
    painting : Painting
        The paint; it may hold nothing at first.

    Yields
    ------
    Event
        As `train`; `TrainingRested` instead of `TrainingDone`, each time that all paint
        is learned, and `TrainingWaits` where there is too little to learn from.
    """
    easel = Easel(painting)
    # While nobody waits for it yet.
    normalisation = measure_normalisation(volume, settings.seed)
    painted = yield from _first_paint(volume, easel)
    desk = _lay_out(
        volume, painted, settings, Path(out), live=True, normalisation=normalisation
    )
    yield from _warn(desk)
    crew = PaintCrew(desk)
    crew.enlist(heritage)
    try:
        yield from _introduce(desk)
        yield from _follow(desk, crew, easel)
    finally:
        crew.stop()
        if desk.changed:
            save(desk)


def _first_paint(volume: Volume, easel: Easel) -> Generator[Event, None, Painted]:
    """Wait for paint of two classes."""
    while True:
        news = easel.news()
        if news is not None:
            try:
                return _check(volume, news)
            except LabelError as error:
                easel.dismiss()
                yield TrainingWaits(str(error))
        yield Tick()
        time.sleep(PAUSE)


def _follow(desk: Desk, crew: PaintCrew, easel: Easel) -> Iterator[Event]:
    """Learn, look for new paint, learn from that; without end."""
    teacher = Teacher(desk, patch_shape(desk))
    work, at_rest = _learn(desk, crew, teacher), False
    while True:
        painted = None
        news = easel.news()
        if news is not None:
            try:
                painted = _check(desk.volume, news)
            except LabelError as error:
                yield TrainingWaits(str(error))
        if painted is not None:
            work.close()
            yield from _take(desk, crew, painted)
            work, at_rest = _learn(desk, crew, teacher), False
        event = next(work, None)
        yield event or Tick()
        yield from crew.listen()
        if event is not None:
            continue
        if not at_rest and (crew.resting or not desk.networks):
            crew.free_threads()
            work, at_rest = _come_to_rest(desk), True
        else:
            time.sleep(PAUSE)


def _take(desk: Desk, crew: PaintCrew, painted: Painted) -> Iterator[Event]:
    """Have networks that are learning go on with other paint."""
    before = {c.id for c in desk.classes}
    if desk.take(*painted):
        new = [c.name for c in desk.classes if c.id not in before]
        if new:
            yield Message(f"Also learning {' and '.join(new)}.")
        heritage = crew.heritage()
        crew.stop()
        crew.enlist(heritage)
    elif crew.started:
        yield from crew.renew()
    yield PaintTaken(len(desk.labelled))


def _learn(
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


def _come_to_rest(desk: Desk) -> Generator[Event, None, None]:
    """Say how good the model is that has learned all paint."""
    save(desk)
    yield from weigh_classes(desk, *THOROUGH)
    yield MemberSaved(max(len(desk.networks) - 1, 0), desk.out, "all paint learned")
    yield TrainingRested(
        path=desk.out,
        metrics=tuple(desk.metrics.items()),
        seconds=time.monotonic() - desk.started,
        fairness=desk.fairness,
    )


def _lay_out(
    volume: Volume,
    painted: Painted,
    settings: TrainingSettings,
    out: Path,
    *,
    live: bool,
    normalisation: Normalisation | None = None,
) -> Desk:
    started = time.monotonic()
    device = choose_device(settings.device)
    labelled, classes = painted
    return Desk(
        volume=volume,
        labelled=labelled,
        classes=classes,
        settings=settings,
        choices=make_choices(volume, labelled, settings, device.type),
        normalisation=normalisation or measure_normalisation(volume, settings.seed),
        device=device,
        out=out,
        started=started,
        is_live=live,
    )


def _warn(desk: Desk) -> Iterator[Event]:
    if desk.normalisation.is_constant:
        yield Message(f"{desk.volume.name!r} has the same value everywhere.", "warning")


def _introduce(desk: Desk) -> Iterator[Event]:
    members = desk.settings.members + desk.has_forest
    yield TrainingStarted(desk.describe(), members, desk.parameters)
    if desk.folds.note:
        yield Message(desk.folds.note)
    if not desk.settings.members and not desk.settings.forest:
        yield Message("No networks and no forest: a forest is trained all the same.")


def _check(volume: Volume, painted: Painted) -> Painted:
    """Paint that can be learned from, with its classes in the order of their ids."""
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
