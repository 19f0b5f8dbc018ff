"""The networks of a training run, each learning in a thread of its own."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.losses import build_loss
from napari_sashiko.networks import build_network
from napari_sashiko.runners import Event, Job, Progress, Tick
from napari_sashiko.training._desk import Desk, NetworkDesk
from napari_sashiko.training._saving import save
from napari_sashiko.training.events import EpochDone, MemberSaved
from napari_sashiko.training.fit import Plan, fit
from napari_sashiko.training.heritage import Heritage
from napari_sashiko.training.judge import Best, Outcome, copy_state
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.sampler import Sampler
from napari_sashiko.training.supply import HeldOut, Material, Supply
from napari_sashiko.training.tiles import Images, Tile, Triple, read_tiles
from napari_sashiko.transforms import Transform, build_transforms

FOR_NETWORKS = 0.9  # share of the time after which only class shares are estimated
TELL_EVERY = 5.0  # seconds between news of networks that are still learning
TELL_LIVE = 2.0  # the same where somebody watches
MOST_SAVING = 0.05  # share of the time that may go into saving quick epochs
LONGEST = 1.0  # seconds that an epoch may not be saved
PATCH_DEPTH = 16  # slices of a 3D training patch
LEARNED = 0.5  # share of the schedule that is left out after weights were carried over
SECONDS_TO_STOP = 10.0


class Crew:
    """Networks that learn side by side.

    All methods are called from the thread that coordinates the training.

    Parameters
    ----------
    desk : Desk
        The run; its networks are the crew's.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._images: Images = {}
        self._supplies: list[Supply] = []
        self._lessons: Sequence[Lessons | None] = []
        self._jobs: list[Job] = []
        self._threads: int | None = None  # of torch, before there was a crew
        self._begin = 0.0
        self._newest = 0  # the network that was judged last
        self._told = 0.0  # when news of a save were told, by the monotonic clock

    @property
    def started(self) -> bool:
        """Whether networks are learning, or have learned, what there is."""
        return bool(self._jobs)

    @property
    def running(self) -> bool:
        """Whether a network has not ended."""
        return any(not job.wait(0) for job in self._jobs)

    @property
    def resting(self) -> bool:
        """Whether all networks have learned what there is and wait for paint."""
        return self.started and all(supply.resting for supply in self._supplies)

    def enlist(self, heritage: Sequence[Heritage] = ()) -> None:
        """Build networks for the classes of the desk.

        Parameters
        ----------
        heritage : sequence of Heritage
            What they know already, in turn; with fresh weights where it is empty.

        Raises
        ------
        ModelError
            If that is for another kind of input.
        """
        desk = self.desk
        planes = 2 * desk.choices.neighbours + 1 if desk.choices.dims == 2 else 1
        channels = desk.volume.channels * planes
        desk.networks = [
            self._heir(heritage[number % len(heritage)], channels)
            if heritage
            else self._fresh(number, channels)
            for number in range(desk.settings.members)
        ]
        self._begin = LEARNED if heritage else 0.0
        if heritage and not desk.version:
            desk.reasons.append("Networks go on from an earlier model.")

    def _fresh(self, number: int, channels: int) -> NetworkDesk:
        desk, recipe = self.desk, self.desk.recipes[number]
        network = build_network(
            recipe["name"],
            channels,
            len(desk.classes),
            dims=desk.choices.dims,
            seed=_seed(desk, number),
            **recipe["settings"],
        )
        return NetworkDesk(network, desk.ids)

    def _heir(self, heritage: Heritage, channels: int) -> NetworkDesk:
        ids = self.desk.ids
        network = heritage.network(
            ids, in_channels=channels, dims=self.desk.choices.dims
        )
        # It is of use before it has learned anything new.
        outcome = Outcome(Best(copy_state(network)), list(heritage.history))
        return NetworkDesk(network, ids, outcome=outcome)

    def renew(self) -> Iterator[Event]:
        """Give every network what is painted now."""
        tiles = list(self._tiles())
        yield Tick()
        desk = self.desk
        if self.started:
            self._share_threads()
        if len(self._lessons) != len(desk.networks):
            self._lessons = [None] * len(desk.networks)
        for number in range(len(desk.networks)):
            material = self._material(tiles, number)
            if len(self._supplies) > number:
                self._supplies[number].material = material
            else:
                self._supplies.append(Supply(material, endless=desk.is_live))
            yield Tick()

    def teach(self, lessons: Sequence[Lessons]) -> None:
        """Give every network what its forest says at random places."""
        self._lessons = lessons or [None] * len(self.desk.networks)
        for supply, lesson in zip(self._supplies, self._lessons, strict=True):
            old = supply.material
            supply.material = Material(
                old.sampler, old.held_out, self._transform(), lesson
            )

    def start(self) -> None:
        """Let all networks learn; `renew` was called before."""
        desk = self.desk
        self._share_threads()
        deadline = desk.deadline
        if deadline is not None:
            now = time.monotonic()
            room = FOR_NETWORKS * (deadline - desk.started) - (now - desk.started)
            deadline = now + max(room, 1.0)
        for number in range(len(desk.networks)):
            work = self._work(number, deadline)
            self._jobs.append(Job(work, name="network"))
        for job in self._jobs:
            job.start()
        self._told = time.monotonic()

    def listen(self) -> Iterator[Event]:
        """Pass on what the networks said; save them when it is time.

        Raises
        ------
        Exception
            What went wrong in a network, at once: nobody waits for the others.
        """
        desk = self.desk
        for job in self._jobs:
            if job.status.error is not None:
                raise job.status.error
        for job in self._jobs:
            for event in job.drain():
                if isinstance(event, EpochDone):
                    self._note(event)
                    yield self._progress(event)
                if _is_due(desk):
                    save(desk)  # before the epoch is told of: who heard of it finds it
                yield event
        if _is_due(desk):
            save(desk)
        now = time.monotonic()
        pause = TELL_LIVE if desk.is_live else TELL_EVERY
        # At rest, whoever brings it to rest tells of what is saved; while a new crew is
        # gathered, what is saved is of the old one, perhaps of fewer classes.
        learning = self.started and not self.resting
        news = learning and desk.saved > self._told
        if news and now - self._told > pause:
            self._told = now
            yield MemberSaved(self._newest, desk.out, "networks so far")

    def heritage(self) -> list[Heritage]:
        """What the networks have learned so far."""
        return [
            Heritage(
                member.network.spec, best.state, member.ids, member.outcome.history
            )
            for member in self.desk.networks
            if (best := member.outcome.best) is not None
        ]

    def stop(self) -> None:
        """End all networks; what they have learned stays on the desk."""
        for job in self._jobs:
            job.cancel()
        for job in self._jobs:
            job.wait(SECONDS_TO_STOP)
        for job in self._jobs:
            for event in job.drain():
                if isinstance(event, EpochDone):
                    self._note(event)
        self.free_threads()
        self._jobs, self._supplies, self._lessons = [], [], []

    def free_threads(self) -> None:
        """Leave the cores to others, while there is nothing to learn."""
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        self._threads = None

    def _share_threads(self) -> None:
        # One thread per network beats two threads on one by a third.
        if self.desk.device.type == "cpu" and self._threads is None:
            self._threads = torch.get_num_threads()
            torch.set_num_threads(max(1, self._threads // len(self.desk.networks)))

    def _note(self, event: EpochDone) -> None:
        self.desk.changed = True
        self._newest = event.member
        self.desk.networks[event.member].fraction = event.fraction

    def _progress(self, event: EpochDone) -> Progress:
        networks = self.desk.networks
        return Progress(
            done=sum(int(100 * member.fraction) for member in networks),
            total=100 * len(networks),
            what="training",
            seconds_left=event.seconds_left,
        )

    def _work(self, number: int, deadline: float | None) -> Iterator[Event]:
        settings, mine = self.desk.settings, self.desk.networks[number]
        yield from fit(
            mine.network.to(self.desk.device),
            self._supplies[number],
            plan=Plan(
                member=number,
                epochs=settings.epochs,
                batch=settings.batch,
                learning_rate=settings.learning_rate,
                seed=_seed(self.desk, number),
                deadline=deadline,
                begin=self._begin,
                loss=build_loss(settings.loss, **settings.loss_settings),
                optimiser=settings.optimiser,
                schedule=settings.schedule,
                patience=settings.patience,
                clip=settings.clip,
            ),
            outcome=mine.outcome,
        )

    def _material(self, tiles: list[Tile], number: int) -> Material:
        desk = self.desk
        sampler = Sampler(
            tiles,
            (desk.channels + 1).astype(np.uint8),
            np.asarray(desk.folds.train[number]),
            patch_shape(desk),
            desk.choices.neighbours,
            device=desk.device,
        )
        return Material(
            sampler,
            self._held_out(tiles, number),
            self._transform(),
            self._lessons[number],
        )

    def _held_out(self, tiles: list[Tile], number: int) -> HeldOut:
        desk = self.desk
        mine = desk.folds.fold == number
        pairs = [(tile, np.flatnonzero(mine[tile.rows])) for tile in tiles]
        pairs = [(tile, rows) for tile, rows in pairs if len(rows)]
        none: NDArray[np.int64] = np.zeros(0, np.int64)
        held = np.concatenate([none, *(tile.rows[rows] for tile, rows in pairs)])
        return HeldOut(pairs, desk.channels[held] + 1, held, desk.version)

    def _transform(self) -> Transform:
        desk = self.desk
        names = ["flips", "rotations"] if desk.rotations else ["flips"]
        return build_transforms(
            [*names, *desk.settings.augment],
            desk.choices.dims,
            desk.volume.voxel_size,
        )

    def _tiles(self) -> Iterator[Tile]:
        desk = self.desk
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
            known=self._images if desk.is_live else None,
        )


def patch_shape(desk: Desk) -> Triple:
    """Size of a training patch, (z, y, x); one slice for 2D."""
    edge = desk.settings.patch
    return (1 if desk.choices.dims == 2 else min(PATCH_DEPTH, edge), edge, edge)


def _is_due(desk: Desk) -> bool:
    """Each epoch is saved at once; quick ones together, at least every second."""
    waited = time.monotonic() - desk.saved
    return desk.changed and (waited > LONGEST or waited * MOST_SAVING >= desk.cost)


def _seed(desk: Desk, number: int) -> int:
    return desk.settings.seed * 1000 + number
