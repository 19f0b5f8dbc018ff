"""What a class may look like between two painted slices: a suggestion, never paint."""

from collections.abc import Generator, Iterator, Sequence
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_sashiko.config import Settings
from napari_sashiko.errors import LabelError
from napari_sashiko.labels._matching import Link, Matcher
from napari_sashiko.labels._passage import Passage, passage
from napari_sashiko.labels._planes import ClassPlanes, Painted, Points, flattened
from napari_sashiko.labels.suggestion import Suggestion
from napari_sashiko.runners import Event, Message, Progress, Tick

AT_ONCE = 1 << 17  # voxels whose paint is looked up at a time
# A voxel, and its neighbours in the plane.
AROUND = ((0, 0), *(step for step in product((-1, 0, 1), repeat=2) if any(step)))


class BetweenSettings(Settings):
    """How far apart what is painted may be to be one thing."""

    axis: Literal[0, 1, 2] = Field(
        default=0, description="Slices follow each other along z (0), y (1) or x (2)."
    )
    most_empty: int = Field(
        default=20,
        ge=1,
        le=1000,
        description="Most slices without paint between two painted ones.",
    )
    most_slope: float = Field(
        default=1.0,
        ge=0.0,
        le=10.0,
        description="How far a shape may move sideways, as a multiple of the distance "
        "of its slices: 1 is 45 degrees. Shapes that overlap are not asked.",
    )
    most_voxels: int = Field(
        default=2_000_000,
        ge=1000,
        description="Most voxels of a suggestion, and most painted voxels that are "
        "held in memory at a time, about 200 bytes each.",
    )


def suggest_between(
    paint: Painted,
    class_ids: Sequence[int],
    settings: BetweenSettings,
    voxel_size: Sequence[float] = (1.0, 1.0, 1.0),
) -> Generator[Event, None, Suggestion]:
    """Interpolate the painted shapes of classes between slices, by signed distance.

    A shape is paint of one class on one slice that touches, corners too. It goes on in
    the next slice that has a shape which fits: the smaller lies on the other by a
    quarter, or it lies beside the other, is alike, near, and the only one that may be
    meant. What lies between is interpolated, see `passage`.

    What is suggested has no paint, and does not touch paint of other classes in its
    slice; voxels that two classes would have get neither.

    Limits: nothing but the paint is looked at, so the image may say otherwise. Strokes
    that were drawn anywhere inside of their class are no cross-sections: where two of
    them happen to overlap, what is filled in lies between them, which is right only if
    their class does. A shape that turns, or opens and closes between two slices, is
    not known to do so. A stroke that goes on in two others is filled to their union.

    Parameters
    ----------
    paint : Painted
        A label store.
    class_ids : sequence of int
        Classes to fill.
    settings : BetweenSettings
        Axis and limits.
    voxel_size : sequence of float
        (z, y, x), any unit.

    Yields
    ------
    Progress, Tick, Message

    Returns
    -------
    Suggestion
        May be empty.

    Raises
    ------
    LabelError
        If there are fewer than three slices.
    """
    if paint.shape[settings.axis] < 3:
        raise LabelError(
            f"There are {paint.shape[settings.axis]} slices along "
            f"{'zyx'[settings.axis]}: nothing can lie between two of them."
        )
    filling = _Filling(paint, settings, voxel_size)
    yield from filling.fill(class_ids)
    return (yield from filling.result(tuple(class_ids)))


class _Filling:
    """The work of one suggestion."""

    def __init__(
        self, paint: Painted, settings: BetweenSettings, voxel_size: Sequence[float]
    ) -> None:
        self._paint = paint
        self._settings = settings
        self._across = [each for each in range(3) if each != settings.axis]
        row, column = (float(voxel_size[each]) for each in self._across)
        self._size = (row, column)
        self._thickness = float(voxel_size[settings.axis])
        self._found: list[tuple[NDArray[np.int64], int]] = []  # flat places, class
        self._count = 0
        self._full = False

    def fill(self, class_ids: Sequence[int]) -> Iterator[Event]:
        """Go through the painted planes of each class."""
        classes = [ClassPlanes(self._paint, i, self._settings.axis) for i in class_ids]
        for each in classes:
            for _ in each.find():
                yield Tick()
        total, done = sum(len(each.numbers) for each in classes), 0
        for each in classes:
            matcher = self._matcher()
            for number in each.numbers:
                yield Progress(done, total, "slices")
                yield from self._plane(each, number, matcher)
                done += 1
                if self._full:
                    yield self._too_many()
                    return

    def result(self, class_ids: tuple[int, ...]) -> Generator[Event, None, Suggestion]:
        """Sort what was found; what two classes would have goes to neither."""
        flat = np.concatenate([np.zeros(0, np.int64), *(f for f, _ in self._found)])
        values = np.zeros(len(flat), np.uint8)
        start = 0
        for places, class_id in self._found:
            values[start : start + len(places)] = class_id
            start += len(places)
        self._found.clear()
        yield Tick()
        order = np.argsort(flat, kind="stable")
        flat, values = flat[order], values[order]
        yield Tick()
        begins = np.flatnonzero(np.diff(flat, prepend=-1))
        lowest = np.minimum.reduceat(values, begins) if len(flat) else values
        highest = np.maximum.reduceat(values, begins) if len(flat) else values
        alone = lowest == highest
        shape = self._paint.shape
        coords = np.stack(np.unravel_index(flat[begins][alone], shape), axis=1)
        yield Tick()
        return Suggestion.of(
            coords.astype(np.int32),
            lowest[alone],
            shape,
            self._settings.axis,
            class_ids,
        )

    def _matcher(self) -> Matcher:
        settings = self._settings
        return Matcher(
            self._size,
            self._thickness,
            most_empty=settings.most_empty,
            most_slope=settings.most_slope,
            most_voxels=settings.most_voxels,
        )

    def _plane(
        self, planes: ClassPlanes, number: int, matcher: Matcher
    ) -> Iterator[Event]:
        """Look at the next painted plane, and fill what ends in it."""
        if planes.count(number) > self._settings.most_voxels:
            yield self._too_full(planes, number)
            return
        for link in matcher.add(planes.read(number)):
            yield Tick()
            if link is not None and not self._full:
                yield from self._between(link, planes.class_id)

    def _between(self, link: Link, class_id: int) -> Iterator[Event]:
        steps = link.upper.number - link.lower.number
        for lower, upper in link.groups():
            shape = yield from _ticking(passage(lower, upper, self._size))
            for step in range(1, steps):
                points = shape(step, steps)
                yield Tick()
                self._full |= self._count + len(points) > self._settings.most_voxels
                if self._full:
                    return
                yield from self._keep(points, link.lower.number + step, class_id)

    def _keep(self, points: Points, number: int, class_id: int) -> Iterator[Event]:
        """Keep points of a plane that are free."""
        height, width = (self._paint.shape[each] for each in self._across)
        inside = ((points >= 0) & (points < (height, width))).all(axis=1)
        flat = np.sort(flattened(points[inside], width))
        flat = flat[np.diff(flat, prepend=-1) > 0]
        for start in range(0, len(flat), AT_ONCE):
            part = flat[start : start + AT_ONCE]
            places = np.stack(np.divmod(part, width), axis=1)
            places = places[self._is_free(places, number, class_id)]
            coords = np.insert(places, self._settings.axis, number, axis=1)
            whole = np.ravel_multi_index(tuple(coords.T), self._paint.shape)
            self._found.append((np.asarray(whole, np.int64), class_id))
            self._count += len(whole)
            yield Tick()

    def _is_free(self, points: Points, number: int, class_id: int) -> NDArray[np.bool_]:
        """Whether there is no paint, and none of another class beside."""
        free = np.ones(len(points), bool)
        last = np.array([self._paint.shape[each] - 1 for each in self._across])
        for step in AROUND:
            places = np.clip(points + step, 0, last)
            key: list[Any] = list(places.T)
            key.insert(self._settings.axis, np.full(len(points), number))
            there = np.asarray(self._paint.array[tuple(key)])
            free &= (there == 0) | (any(step) & (there == class_id))
        return free

    def _too_many(self) -> Message:
        return Message(
            f"Only the first {self._count:,} voxels are suggested. Accept them and "
            "fill again for the rest.",
            "warning",
        )

    def _too_full(self, planes: ClassPlanes, number: int) -> Message:
        return Message(
            f"Slice {number} along {'zyx'[self._settings.axis]} has "
            f"{planes.count(number):,} voxels of class {planes.class_id}, more than "
            f"{self._settings.most_voxels:,}: it was left out.",
            "warning",
        )


def _ticking(work: Generator[None, None, Passage]) -> Generator[Event, None, Passage]:
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Passage = end.value
            return result
        yield Tick()
