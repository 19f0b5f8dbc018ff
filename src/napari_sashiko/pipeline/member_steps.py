"""One member's turn: its map, its objects, a few numbers, and the map is gone."""

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from napari_sashiko.instances import InstancesDone, segment_instances
from napari_sashiko.measurements import MemberNumbers, read_objects
from napari_sashiko.pipeline.member_turn import Turn
from napari_sashiko.prediction import (
    CellDone,
    ClassTotals,
    PredictionStarted,
    count_classes,
    predict,
)
from napari_sashiko.runners import Event, Message, Progress, Tick

# How a member's time is shared out, roughly: predicting, counting voxels, objects.
PREDICTED, COUNTED = 0.8, 0.85
PASSES = ("finding objects", "writing objects", "measuring objects")


@dataclass(frozen=True, slots=True)
class Share(Event):
    """So much of a member's work is done, 0 to 1."""

    share: float


def member_steps(turn: Turn) -> Generator[Event, None, MemberNumbers]:
    """Measure one member; closing keeps what is predicted.

    Parameters
    ----------
    turn : Turn
        The member.

    Yields
    ------
    Share, Message, Tick

    Returns
    -------
    MemberNumbers
    """
    start = time.perf_counter()
    before = yield from _predicted(turn)
    totals = yield from _counted(turn)
    done = yield from _found(turn)
    planar = turn.volume.stacking.planar
    sizes, count, at_border = read_objects(turn.path(".csv"), flat=planar)
    seconds = time.perf_counter() - start
    numbers = MemberNumbers(
        place=turn.place,
        kind=turn.kind,
        weight=turn.weight,
        voxels=totals.voxels,
        mass=totals.mass,
        class_id=turn.class_id,
        count=count,
        removed=done.removed,
        at_border=at_border,
        sizes=sizes,
        # Of all its work, also where an earlier run did some of it.
        seconds=seconds / (1 - before) if before < PREDICTED else seconds,
    )
    turn.keep(numbers)
    turn.clear()
    return numbers


def _predicted(turn: Turn) -> Generator[Event, None, float]:
    """Make the member's map; returns the share that was there before."""
    before = 0.0
    turn.remove_other_map()
    steps = predict(
        turn.predictor,
        turn.volume,
        turn.path(".zarr"),
        turn.settings.for_prediction(),
        model_digest=turn.map_digest,
    )
    with closing(steps):  # type: ignore[type-var]
        for event in steps:
            if isinstance(event, PredictionStarted):
                before = PREDICTED * event.done / event.cells
                yield Share(before)
            elif isinstance(event, CellDone):
                yield Share(PREDICTED * event.done / event.total)
            elif isinstance(event, Message | Tick):
                yield event
    return before


def _counted(turn: Turn) -> Generator[Event, None, ClassTotals]:
    steps = count_classes(turn.path(".zarr"), turn.settings)
    with closing(steps):
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                totals: ClassTotals = end.value
                return totals
            if isinstance(event, Progress):
                step = COUNTED - PREDICTED
                yield Share(PREDICTED + step * event.done / event.total)
            else:
                yield event


def _found(turn: Turn) -> Generator[Event, None, InstancesDone]:
    steps = segment_instances(
        turn.path(".zarr"),
        turn.path("-objects.zarr"),
        turn.settings.for_instances(),
        turn.path(".csv"),
    )
    with closing(steps):  # type: ignore[type-var]
        for event in steps:
            if isinstance(event, InstancesDone):
                done = event
            elif isinstance(event, Progress) and event.what in PASSES:
                step = PASSES.index(event.what) + event.done / event.total
                yield Share(COUNTED + (1 - COUNTED) * step / len(PASSES))
            elif isinstance(event, Message | Tick):
                yield event
    return done
