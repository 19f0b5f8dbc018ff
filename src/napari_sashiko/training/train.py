"""The training run: forest first, then networks side by side, then their shares.

Strategy: labelled strokes are dealt to folds. Network ``i`` never sees fold ``i``, so
that what it is judged by is new to it; forests are grown once per fold for the same
reason, and teach only the network that has not seen the same fold. What both families
say about unseen strokes decides how much each counts. The model folder can be used from
the first second.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_sashiko.labels import LabelClass, LabelledVoxels
from napari_sashiko.runners import Event, Tick
from napari_sashiko.training._course import (
    PAUSE,
    THOROUGH,
    check,
    introduce,
    lay_out,
    learn,
    warn,
)
from napari_sashiko.training._saving import save, weigh_classes
from napari_sashiko.training.events import MemberSaved, TrainingDone
from napari_sashiko.training.heritage import Heritage
from napari_sashiko.training.levelling import level
from napari_sashiko.training.paint_crew import PaintCrew
from napari_sashiko.training.painting import FinishedPainting
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.training.teacher import Teacher
from napari_sashiko.volumes import Volume


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
    volume = level(volume, settings)
    painted = check(volume, FinishedPainting(labelled, classes).read())
    desk = lay_out(volume, painted, settings, Path(out), live=False, settled=True)
    desk.origin = dict(origin or {})
    yield from warn(desk)
    crew = PaintCrew(desk, heritage)
    crew.enlist()
    try:
        yield from introduce(desk)
        yield from learn(desk, crew, Teacher(desk, desk.patch))
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
        fairness=desk.remark,
    )
