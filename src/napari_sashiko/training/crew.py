"""The networks of a training run, side by side where the device has room."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.networks import build_network
from napari_sashiko.runners import Event, Job, Progress, Tick
from napari_sashiko.training._desk import Desk, NetworkDesk
from napari_sashiko.training._saving import save
from napari_sashiko.training.events import EpochDone, MemberSaved
from napari_sashiko.training.fit import HeldOut, Plan, fit
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.sampler import Sampler
from napari_sashiko.training.teacher import read_lessons
from napari_sashiko.training.tiles import Tile, Triple, read_tiles
from napari_sashiko.transforms import Transform, build_transforms

FOR_NETWORKS = 0.9  # share of the time after which only class shares are estimated
PAUSE = 0.02  # seconds between looks at the crew
TELL_EVERY = 5.0  # seconds between news of networks that are still learning
MOST_SAVING = 0.05  # share of the time that may go into saving quick epochs
LONGEST = 1.0  # seconds that an epoch may not be saved
SIDE_BY_SIDE = 8  # networks at once on a CPU with many cores
PATCH_DEPTH = 16  # slices of a 3D training patch


def enlist(desk: Desk) -> None:
    """Build the networks with fresh weights, in their order."""
    planes = 2 * desk.choices.neighbours + 1 if desk.choices.dims == 2 else 1
    for number, recipe in enumerate(desk.recipes):
        network = build_network(
            recipe["name"],
            desk.volume.channels * planes,
            len(desk.classes),
            dims=desk.choices.dims,
            seed=_seed(desk, number),
            **recipe["settings"],
        )
        desk.networks.append(NetworkDesk(network))


def network_members(desk: Desk) -> Iterator[Event]:
    """Train the ensemble's networks; each saves its best weights as it goes on."""
    yield Tick()
    tiles = list(_tiles(desk))
    yield Tick()
    lessons = yield from read_lessons(desk, patch_shape(desk))
    waiting = [
        _Trainee(desk, tiles, lessons[number] if lessons else None, number)
        for number in range(desk.settings.members)
    ]
    at_once = _at_once(desk)
    threads = torch.get_num_threads()
    rounds = -(-len(waiting) // at_once)
    try:
        if desk.device.type == "cpu":
            # One thread per network beats two threads on one by a third.
            torch.set_num_threads(max(1, threads // at_once))
        for number in range(rounds):
            crew = waiting[number * at_once : (number + 1) * at_once]
            yield from _work(desk, crew, rounds - number)
    finally:
        torch.set_num_threads(threads)


def _at_once(desk: Desk) -> int:
    if desk.device.type != "cpu":
        return 1
    return max(1, min(desk.settings.members, torch.get_num_threads(), SIDE_BY_SIDE))


def _work(desk: Desk, crew: "Sequence[_Trainee]", rounds_left: int) -> Iterator[Event]:
    """Let some networks learn side by side; stopping keeps what they have learned."""
    deadline = desk.deadline
    if deadline is not None:
        now = time.monotonic()
        room = FOR_NETWORKS * (deadline - desk.started) - (now - desk.started)
        deadline = now + max(room, 1.0) / rounds_left
    told = time.monotonic()
    jobs = [Job(trainee.work(deadline), name="network") for trainee in crew]
    try:
        for job in jobs:
            job.start()
        for event in _listen(jobs):
            _raise_first(jobs)
            if isinstance(event, EpochDone):
                desk.changed = True
                desk.networks[event.member].fraction = event.fraction
                yield _progress(desk, event, rounds_left)
            if _is_due(desk):
                save(desk)  # before the epoch is told of: who heard of it finds it
            yield event
            now = time.monotonic()
            if desk.saved > told and now - told > TELL_EVERY:
                told = now
                yield MemberSaved(crew[0].number, desk.out, "networks so far")
    finally:
        for job in jobs:
            job.cancel()
        for job in jobs:
            job.wait(10)
        left = [event for job in jobs for event in job.drain()]
        desk.changed |= any(isinstance(event, EpochDone) for event in left)
    save(desk)
    yield MemberSaved(crew[-1].number, desk.out, "networks")


def _listen(jobs: Sequence[Job]) -> Iterator[Event]:
    """Pass on what the jobs say until all have ended; a `Tick` is always the last."""
    running = True
    while running:
        # Asked before the events are taken, so that the last ones are not missed.
        running = any(not job.wait(0) for job in jobs)
        for job in jobs:
            yield from job.drain()
        yield Tick()
        time.sleep(PAUSE)


def _raise_first(jobs: Sequence[Job]) -> None:
    # At once: nobody waits for the other networks to learn of an error.
    for job in jobs:
        if job.status.error is not None:
            raise job.status.error


def _is_due(desk: Desk) -> bool:
    """Each epoch is saved at once; quick ones together, at least every second."""
    waited = time.monotonic() - desk.saved
    return desk.changed and (waited > LONGEST or waited * MOST_SAVING >= desk.cost)


def _progress(desk: Desk, event: EpochDone, rounds_left: int) -> Progress:
    later = event.seconds_left / max(1 - event.fraction, 0.05)
    return Progress(
        done=sum(int(100 * member.fraction) for member in desk.networks),
        total=100 * len(desk.networks),
        what="training",
        seconds_left=event.seconds_left + (rounds_left - 1) * later,
    )


def _seed(desk: Desk, number: int) -> int:
    return desk.settings.seed * 1000 + number


class _Trainee:
    """One network and the strokes that it must not see."""

    def __init__(
        self, desk: Desk, tiles: list[Tile], lessons: Lessons | None, number: int
    ) -> None:
        self.desk = desk
        self.tiles = tiles
        self.lessons = lessons
        self.number = number

    def work(self, deadline: float | None) -> Iterator[Event]:
        """Train the network."""
        settings, mine = self.desk.settings, self.desk.networks[self.number]
        held_out, mine.rows = self._held_out()
        yield from fit(
            mine.network.to(self.desk.device),
            self._sampler(),
            held_out,
            self._transform(),
            plan=Plan(
                member=self.number,
                epochs=settings.epochs,
                batch=settings.batch,
                learning_rate=settings.learning_rate,
                seed=_seed(self.desk, self.number),
                deadline=deadline,
            ),
            outcome=mine.outcome,
            lessons=self.lessons,
        )

    def _train(self) -> NDArray[np.bool_]:
        desk = self.desk
        return np.asarray(desk.folds.train[self.number])

    def _sampler(self) -> Sampler:
        desk = self.desk
        return Sampler(
            self.tiles,
            (desk.channels + 1).astype(np.uint8),
            self._train(),
            patch_shape(desk),
            desk.choices.neighbours,
            device=desk.device,
        )

    def _held_out(self) -> tuple[HeldOut, NDArray[np.int64]]:
        desk = self.desk
        mine = desk.folds.fold == self.number
        pairs = [(tile, np.flatnonzero(mine[tile.rows])) for tile in self.tiles]
        pairs = [(tile, rows) for tile, rows in pairs if len(rows)]
        none = np.zeros(0, np.int64)
        held = np.concatenate([none, *(tile.rows[rows] for tile, rows in pairs)])
        return HeldOut(pairs, desk.channels[held] + 1), held

    def _transform(self) -> Transform:
        desk = self.desk
        names = ["flips", "rotations"] if desk.rotations else ["flips"]
        return build_transforms(names, desk.choices.dims, desk.volume.voxel_size)


def patch_shape(desk: Desk) -> Triple:
    """Size of a training patch, (z, y, x); one slice for 2D."""
    edge = desk.settings.patch
    return (1 if desk.choices.dims == 2 else min(PATCH_DEPTH, edge), edge, edge)


def _tiles(desk: Desk) -> Iterator[Tile]:
    deep, edge, _ = patch_shape(desk)
    flat = desk.choices.dims == 2
    margin = (desk.choices.neighbours if flat else deep // 2, edge // 2, edge // 2)
    return read_tiles(
        desk.volume,
        desk.normalisation,
        desk.labelled,
        dims=desk.choices.dims,
        margin=margin,
        seed=desk.settings.seed,
    )
