"""The networks of a training run, side by side where the device has room."""

import time
from collections.abc import Iterator

import numpy as np
import torch

from napari_sashiko.networks import build_network
from napari_sashiko.runners import Event, Job, Progress, Tick
from napari_sashiko.training._desk import Desk, NetworkDesk
from napari_sashiko.training.events import EpochDone, MemberSaved
from napari_sashiko.training.fit import HeldOut, Outcome, Plan, fit
from napari_sashiko.training.sampler import Sampler
from napari_sashiko.training.tiles import Tile, Triple, read_tiles
from napari_sashiko.transforms import Transform, build_transforms

PAUSE = 0.02  # seconds between looks at the crew
SAVE_EVERY = 5.0  # seconds between saves of networks that are still learning
SIDE_BY_SIDE = 8  # networks at once on a CPU with many cores
PATCH_DEPTH = 16  # slices of a 3D training patch


def network_members(desk: Desk) -> Iterator[Event]:
    """Train the ensemble's networks; each saves its best weights as it goes on."""
    yield Tick()
    tiles = list(_tiles(desk))
    yield Tick()
    waiting = [_Trainee(desk, tiles, number) for number in range(desk.settings.members)]
    at_once = _at_once(desk)
    threads = torch.get_num_threads()
    rounds = -(-len(waiting) // at_once)
    try:
        if desk.device.type == "cpu":
            # One thread per network beats two threads on one by a third.
            torch.set_num_threads(max(1, threads // at_once))
        for number in range(rounds):
            crew = waiting[number * at_once : (number + 1) * at_once]
            yield from _work(desk, crew, rounds - number, len(waiting))
    finally:
        torch.set_num_threads(threads)


def _at_once(desk: Desk) -> int:
    if desk.device.type != "cpu":
        return 1
    return max(1, min(desk.settings.members, torch.get_num_threads(), SIDE_BY_SIDE))


def _work(
    desk: Desk, crew: "list[_Trainee]", rounds_left: int, members: int
) -> Iterator[Event]:
    deadline = desk.deadline
    if deadline is not None:
        now = time.monotonic()
        deadline = now + max(deadline - now, 1.0) / rounds_left
    jobs = [Job(trainee.work(deadline), name="network") for trainee in crew]
    last_save = time.monotonic()
    try:
        for job in jobs:
            job.start()
        running = True
        while running:
            running = any(not job.wait(0) for job in jobs)
            for event in (event for job in jobs for event in job.drain()):
                if isinstance(event, EpochDone):
                    desk.changed = True
                    left = event.seconds_left + (rounds_left - 1) * (
                        event.seconds_left / max(1 - event.fraction, 0.05)
                    )
                    yield _share(event, members, left)
                yield event
            if desk.changed and time.monotonic() - last_save > SAVE_EVERY:
                desk.save()
                last_save = time.monotonic()
                yield MemberSaved(crew[0].number, desk.out, "networks so far")
            yield Tick()
            time.sleep(PAUSE)
        for job in jobs:
            error = job.status.error
            if error is not None:
                raise error
    finally:
        for job in jobs:
            job.cancel()
        for job in jobs:
            job.wait(10)
    desk.save()
    yield MemberSaved(crew[-1].number, desk.out, "networks")


def _share(event: EpochDone, members: int, seconds_left: float) -> Progress:
    done = event.member * 100 + int(100 * event.fraction)
    return Progress(min(done, members * 100), members * 100, "training", seconds_left)


class _Trainee:
    """One network and the strokes that it must not see."""

    def __init__(self, desk: Desk, tiles: list[Tile], number: int) -> None:
        self.desk = desk
        self.tiles = tiles
        self.number = number

    def work(self, deadline: float | None) -> Iterator[Event]:
        """Build the network and train it."""
        desk, settings = self.desk, self.desk.settings
        choices = desk.choices
        seed = settings.seed * 1000 + self.number
        recipe = desk.recipes[self.number]
        planes = 2 * choices.neighbours + 1 if choices.dims == 2 else 1
        network = build_network(
            recipe["name"],
            desk.volume.channels * planes,
            len(desk.classes),
            dims=choices.dims,
            seed=seed,
            **recipe["settings"],
        ).to(desk.device)
        held_out, rows = self._held_out()
        outcome = Outcome()
        desk.networks.append(NetworkDesk(network, outcome, rows))
        yield from fit(
            network,
            self._sampler(),
            held_out,
            self._transform(),
            Plan(
                member=self.number,
                epochs=settings.epochs,
                batch=settings.batch,
                learning_rate=settings.learning_rate,
                seed=seed,
                deadline=deadline,
            ),
            outcome,
        )

    def _train(self) -> np.ndarray:
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
        )

    def _held_out(self) -> tuple[HeldOut, np.ndarray]:
        desk = self.desk
        mine = desk.folds.fold == self.number
        pairs = [(tile, np.flatnonzero(mine[tile.rows])) for tile in self.tiles]
        pairs = [(tile, rows) for tile, rows in pairs if len(rows)]
        rows = np.concatenate([tile.rows[rows] for tile, rows in pairs] or [[]])
        rows = rows.astype(np.int64)
        return HeldOut(pairs, desk.channels[rows] + 1), rows

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
