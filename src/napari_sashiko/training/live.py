"""Training that stays on: it follows the paint until it is closed.

Networks are never stopped for new strokes: within a second they draw their patches from
these, too. The forest is grown again, then asked again what it teaches; whatever
follows from older paint is left undone. Where there are other classes, or so much paint
that networks had better look at the volume in another way, others take their place; the
model folder can be used all the time.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import LabelClass
from napari_sashiko.runners import Event, Message, Tick
from napari_sashiko.training._course import (
    PAUSE,
    THOROUGH,
    check,
    introduce,
    lay_out,
    learn,
    warn,
)
from napari_sashiko.training._desk import Desk
from napari_sashiko.training._saving import save, weigh_classes
from napari_sashiko.training.events import (
    MemberSaved,
    PaintTaken,
    TrainingDecided,
    TrainingRested,
    TrainingWaits,
)
from napari_sashiko.training.heritage import Heritage
from napari_sashiko.training.levelling import level
from napari_sashiko.training.paint_crew import PaintCrew
from napari_sashiko.training.painting import Easel, Painted, Painting
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.training.teacher import Teacher
from napari_sashiko.volumes import Volume, measure_normalisation


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
        less than half of it again on what is added, and half of the epochs where there
        are other classes.
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
    volume = level(volume, settings)
    normalisation = measure_normalisation(volume, settings.seed)
    painted = yield from _first_paint(volume, easel)
    desk = lay_out(
        volume,
        painted,
        settings,
        Path(out),
        live=True,
        settled=bool(heritage),
        normalisation=normalisation,
    )
    yield from warn(desk)
    crew = PaintCrew(desk, heritage)
    crew.enlist()
    try:
        yield from introduce(desk)
        pupil = _Pupil(desk, crew, easel)
        while True:
            yield from pupil.look()
            yield from pupil.go_on()
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
                return check(volume, news)
            except LabelError as error:
                easel.dismiss()
                yield TrainingWaits(str(error))
        yield Tick()
        time.sleep(PAUSE)


class _Pupil:
    """Learns, looks for new paint, learns from that.

    Attributes
    ----------
    waits : bool
        Whether too little is left to learn from: then nothing is learned.
    at_rest : bool
        Whether all paint is learned, and it was said.
    """

    def __init__(self, desk: Desk, crew: PaintCrew, easel: Easel) -> None:
        self.desk = desk
        self.crew = crew
        self.easel = easel
        self.waits = False
        self.teacher = Teacher(desk, desk.patch)
        self.work = learn(desk, crew, self.teacher)
        self.at_rest = False

    def look(self) -> Iterator[Event]:
        """Take what is new about the paint."""
        news = self.easel.news()
        if news is None:
            return
        try:
            labelled, classes = check(self.desk.volume, news)
        except LabelError as error:
            self.work.close()
            self.crew.hold_back()
            self.waits = True
            yield TrainingWaits(str(error))
            return
        if not self.desk.holds(labelled):
            yield from self._take((labelled, classes))
            return
        yield from self._rename(classes)
        if self.waits:
            yield from self._learn_again()

    def go_on(self) -> Iterator[Event]:
        """Do the next of what follows from the paint."""
        if self.waits:
            # What networks said before is not news: there is nothing to learn.
            yield Tick()
            time.sleep(PAUSE)
            return
        event = next(self.work, None)
        yield event or Tick()
        yield from self.crew.listen()
        if event is not None:
            return
        done = self.crew.resting or not self.desk.networks
        if done and not self.at_rest:
            self.crew.free_threads()
            self.work, self.at_rest = _come_to_rest(self.desk), True
        else:
            time.sleep(PAUSE)

    def _take(self, painted: Painted) -> Iterator[Event]:
        """Have networks go on with other paint, or others take their place."""
        desk, crew = self.desk, self.crew
        self.work.close()
        known, choices = set(desk.ids), desk.choices
        others = desk.take(*painted)
        yield from desk.deal()
        new = [c.name for c in desk.classes if c.id not in known]
        if new:
            yield Message(f"Also learning {' and '.join(new)}.")
        if desk.choices is not choices:
            kept = desk.choices.dims == choices.dims
            what = "go on from what they know" if kept else "begin afresh"
            text = f"{desk.choices.reason} Networks {what}."
            yield TrainingDecided(text, summary=desk.describe())
        if others:
            crew.enlist()
        elif crew.started:
            yield from crew.renew()
        if desk.choices is not choices or self.teacher.patch != desk.patch:
            self.teacher = Teacher(desk, desk.patch)
        yield from self._learn_again()

    def _learn_again(self) -> Iterator[Event]:
        self.waits = False
        self.crew.let_go()
        self.work = learn(self.desk, self.crew, self.teacher)
        self.at_rest = False
        yield PaintTaken(len(self.desk.labelled))

    def _rename(self, classes: tuple[LabelClass, ...]) -> Iterator[Event]:
        """Take names and colours: nothing has to be learned for them."""
        desk = self.desk
        if classes == desk.classes:
            return
        desk.classes, desk.changed = classes, True
        if self.at_rest:
            save(desk)
            yield from _tell_of_rest(desk)


def _come_to_rest(desk: Desk) -> Generator[Event, None, None]:
    """Say how good the model is that has learned all paint."""
    save(desk)
    yield from weigh_classes(desk, *THOROUGH)
    yield from _tell_of_rest(desk)


def _tell_of_rest(desk: Desk) -> Iterator[Event]:
    yield MemberSaved(max(len(desk.networks) - 1, 0), desk.out, "all paint learned")
    yield TrainingRested(
        path=desk.out,
        metrics=tuple(desk.metrics.items()),
        seconds=time.monotonic() - desk.started,
        fairness=desk.remark,
    )
