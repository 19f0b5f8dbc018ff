"""Where to look next: places that are unsure, and paint that is disagreed with."""

import math
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from napari_sashiko.errors import Cancelled
from napari_sashiko.labels import Dispute, LabelledVoxels, check_shape
from napari_sashiko.metrics import members_differ
from napari_sashiko.prediction._asked import Asked, AskedModel, AskedPrediction
from napari_sashiko.prediction._prepare import check_volume
from napari_sashiko.prediction._spread import block_count, choose, spread_blocks
from napari_sashiko.prediction._strokes import StrokeJudge
from napari_sashiko.prediction._unsure import Rules, scale_of, unsure_places
from napari_sashiko.prediction.events import Place, PlacesFound
from napari_sashiko.prediction.predictor import Predictor
from napari_sashiko.prediction.settings import PlacesSettings
from napari_sashiko.runners import Event, Progress, Run, Tick, open_runner
from napari_sashiko.volumes import Region, Volume

HEARTBEAT = 0.2
FEWEST = 4  # places that a block may give
SECONDS_BETWEEN = 2.0  # of lists that are not complete yet
PAINT_SHARE = 0.4  # of the time, at most
WHAT = "looking at blocks"

Task = TypeVar("Task")
Result = TypeVar("Result")
Open = Callable[[Callable[[], None]], Asked]
Looked = tuple[list[Place], bool]


def find_places(
    predictor: Predictor,
    volume: Volume,
    labelled: LabelledVoxels | None = None,
    settings: PlacesSettings | None = None,
    *,
    disputes: Sequence[Dispute] = (),
) -> Iterator[Event]:
    """Ask a model about blocks of a volume and about the paint.

    Blocks are spread over the volume; a seed gives the same list each time, unless the
    time is up before all of them were looked at.

    Parameters
    ----------
    predictor : Predictor
        The open model.
    volume : Volume
        The image.
    labelled : LabelledVoxels, optional
        The paint: nothing near to it is listed as unsure, and its strokes are compared
        with what the model says.
    settings : PlacesSettings, optional
        How many, how far apart, how long.
    disputes : sequence of Dispute
        Strokes that somebody calls another class who has not seen them.

    Yields
    ------
    Progress, Tick, Message, PlacesFound
        The last one is a `PlacesFound` that is complete; earlier ones are what was
        found until then.

    Raises
    ------
    VolumeError
        If the image has another number of channels than the model.
    LabelError
        If the paint has another shape than the image.
    """
    yield from check_volume(predictor.card, volume)
    yield from _searched(
        lambda tick: AskedModel(predictor, volume, tick),
        volume,
        labelled,
        settings,
        disputes,
    )


def places_in_prediction(
    path: Path | str,
    volume: Volume,
    labelled: LabelledVoxels | None = None,
    settings: PlacesSettings | None = None,
    *,
    disputes: Sequence[Dispute] = (),
) -> Iterator[Event]:
    """Look for places in a finished prediction, as `find_places` does with a model.

    Raises
    ------
    OutputError
        If there is no finished prediction, or it is of another image.
    LabelError
        If the paint has another shape than the image.
    """
    seed = (settings or PlacesSettings()).seed
    yield from _searched(
        lambda tick: AskedPrediction(Path(path), volume, tick, seed),
        volume,
        labelled,
        settings,
        disputes,
    )


def _searched(
    open_: Open,
    volume: Volume,
    labelled: LabelledVoxels | None,
    settings: PlacesSettings | None,
    disputes: Sequence[Dispute],
) -> Iterator[Event]:
    if labelled is not None:
        check_shape(labelled.shape, volume.stacking)
    if labelled is not None and not len(labelled):
        labelled = None
    with open_runner("serial") as run:
        search = _Search(volume, labelled, settings or PlacesSettings(), run)
        search.disputes = disputes
        yield from search.steps(open_)


class _Search:
    """One search; what takes long is done in a thread, so that it ends when it must."""

    def __init__(
        self,
        volume: Volume,
        labelled: LabelledVoxels | None,
        settings: PlacesSettings,
        run: Run,
    ) -> None:
        self.volume, self.labelled, self.settings = volume, labelled, settings
        self.disputes: Sequence[Dispute] = ()
        self._run = run
        self._stopped = threading.Event()
        self._start = self._told = time.monotonic()
        self._judge: StrokeJudge | None = None
        self._candidates: list[Place] = []
        self._differ = False
        self._blocks = 0
        self._done = self._whole = 0  # blocks, those with paint too
        self._scale = scale_of(volume.voxel_size, flat=volume.flat)

    def steps(self, open_: Open) -> Generator[Event, None, None]:
        """Open what is asked, judge the strokes, look at blocks, tell."""
        settings, shape, frame = self.settings, self.volume.shape, self.volume.frame
        asked = yield from self._one(open_, self._tick)
        total = block_count(shape, asked.block, frame)
        blocks = min(settings.blocks, total)
        if self.labelled is not None:
            yield from self._judge_strokes(asked, self.labelled, blocks)
        self._whole = self._done + blocks
        rules = self._rules(asked, blocks)
        chosen = spread_blocks(shape, asked.block, blocks, settings.seed, frame)

        def look(region: Region) -> Looked:
            said, image = asked.look(region), asked.image(region)
            places = unsure_places(region, said, image, self.labelled, rules)
            return places, members_differ(said[1])

        for event in self._all(look, chosen, self._take, 1.0):
            yield event
            if time.monotonic() - self._told > SECONDS_BETWEEN:
                yield self._found(rules, total, complete=False)
        yield self._found(rules, total, complete=True)

    def _judge_strokes(
        self, asked: Asked, labelled: LabelledVoxels, blocks: int
    ) -> Generator[Event, None, None]:
        def number(paint: LabelledVoxels) -> StrokeJudge:
            return StrokeJudge(
                asked,
                paint,
                self.settings.blocks,
                self.settings.seed,
                frame=self.volume.frame,
            )

        judge = self._judge = yield from self._one(number, labelled)
        self._whole = len(judge.pieces) + blocks
        yield from self._all(judge.look, judge.pieces, lambda _: None, PAINT_SHARE)

    def _rules(self, asked: Asked, blocks: int) -> Rules:
        settings = self.settings
        # More than its part: some are too near to others, or to better ones.
        part = math.ceil(FEWEST * settings.count / blocks)
        return Rules(
            ids=asked.ids,
            scale=self._scale,
            apart=settings.apart,
            away=settings.away,
            count=max(FEWEST, part),
            frame=self.volume.frame,
        )

    def _take(self, looked: Looked) -> None:
        places, differ = looked
        self._candidates += places
        self._differ = self._differ or differ
        self._blocks += 1

    def _found(self, rules: Rules, total: int, *, complete: bool) -> PlacesFound:
        settings, judge = self.settings, self._judge
        # Where members differ elsewhere but not here, they are all sure here.
        doubtful = [p for p in self._candidates if p.std > 0 or not self._differ]
        unsure = choose(
            doubtful,
            count=settings.count,
            apart=settings.apart,
            scale=self._scale,
            depth=self.volume.shape[0],
            frame=self.volume.frame,
        )
        self._told = time.monotonic()
        strokes = judge.places(settings.count, self.disputes) if judge else ()
        return PlacesFound(
            places=(*unsure, *strokes),
            blocks=self._blocks,
            total=total,
            strokes=judge.strokes if judge else 0,
            reach=rules.reach,
            complete=complete,
            seconds=self._told - self._start,
        )

    # ---- in a thread ------------------------------------------------------------

    def _one(
        self, func: Callable[[Task], Result], task: Task
    ) -> Generator[Event, None, Result]:
        """Do one thing that may take seconds; ticks meanwhile."""
        results: list[Result] = []
        yield from self._all(func, [task], results.append, math.inf)
        return results[0]

    def _all(
        self,
        func: Callable[[Task], Result],
        tasks: Iterable[Task],
        take: Callable[[Result], None],
        share: float,
    ) -> Generator[Event, None, None]:
        """Do tasks until this share of the time is up, but one of them at least."""
        end = self._start + share * (self.settings.seconds or math.inf)
        results = self._run(func, tasks, heartbeat=HEARTBEAT)
        try:
            for item in results:
                if item is None:
                    yield Tick()
                    continue
                take(item[1])
                yield self._progress()
                if time.monotonic() > end:
                    return
        except GeneratorExit:
            self._stopped.set()  # the task that runs hears it
            raise
        finally:
            results.close()

    def _progress(self) -> Event:
        if not self._whole:
            return Tick()
        self._done += 1
        passed = time.monotonic() - self._start
        left = passed / self._done * (self._whole - self._done)
        if self.settings.seconds is not None:
            left = min(left, max(0.0, self.settings.seconds - passed))
        return Progress(self._done, self._whole, WHAT, left)

    def _tick(self) -> None:
        if self._stopped.is_set():
            raise Cancelled("Stopped.")
