"""The networks of a training run, each learning in a thread of its own."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import torch

from napari_sashiko.runners import Event, Job, Message, Progress, turn
from napari_sashiko.training.events import EpochDone, MemberSaved
from napari_sashiko.training.fit import Plan, fit
from napari_sashiko.training.learning import FitSettings
from napari_sashiko.training.network_desk import NetworkDesk
from napari_sashiko.training.supply import Supply

FOR_NETWORKS = 0.9  # share of the time after which only class shares are estimated
TELL_EVERY = 5.0  # seconds between news of networks that are still learning
TELL_LIVE = 2.0  # the same where somebody watches
MOST_SAVING = 0.05  # share of the time that may go into saving quick epochs
LONGEST = 1.0  # seconds that an epoch may not be saved
SECONDS_TO_STOP = 10.0


class Bench(Protocol):
    """What a crew needs to know of its run, and notes there."""

    networks: list[NetworkDesk]
    device: torch.device
    out: Path
    is_live: bool
    started: float
    changed: bool
    saved: float
    cost: float

    @property
    def settings(self) -> FitSettings:
        """What a user may set."""
        ...


class Crew:
    """Networks that learn side by side.

    All methods are called from the thread that coordinates the training.

    Parameters
    ----------
    bench : Bench
        The run; its networks are the crew's.
    save : callable
        Writes the model folder, with all that networks have learned so far.
    """

    def __init__(self, bench: Bench, save: Callable[[], None]) -> None:
        self.bench = bench
        self.save = save
        self._supplies: list[Supply] = []
        self._jobs: list[Job] = []
        self._threads: int | None = None  # of torch, before there was a crew
        self._newest = 0  # the network that was judged last
        self._told = 0.0  # when news of a save were told, by the monotonic clock
        self._said: set[str] = set()  # by networks, which all meet the same

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

    def supply(self, *supplies: Supply) -> None:
        """Say what each network, in turn, learns from."""
        self._supplies = list(supplies)

    def start(self) -> None:
        """Let all networks learn; `renew` was called before."""
        bench, deadline = self.bench, None
        self._share_threads()
        if bench.settings.minutes is not None:
            now = time.monotonic()
            # Live, networks may be made at any time, and have theirs from then on.
            spent = 0.0 if bench.is_live else now - bench.started
            room = FOR_NETWORKS * 60 * bench.settings.minutes - spent
            deadline = now + max(room, 1.0)
        for number in range(len(bench.networks)):
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
        bench = self.bench
        for job in self._jobs:
            if job.status.error is not None:
                raise job.status.error
        for job in self._jobs:
            for event in job.drain():
                if isinstance(event, EpochDone):
                    self._note(event)
                    yield self._progress(event)
                if is_due(bench):
                    self.save()  # before the epoch is told of: who heard of it finds it
                if not self._is_known(event):
                    yield event
        if is_due(bench):
            self.save()
        now = time.monotonic()
        pause = TELL_LIVE if bench.is_live else TELL_EVERY
        # At rest, whoever brings it to rest tells of what is saved; while a new crew is
        # gathered, what is saved is of the old one, perhaps of fewer classes.
        learning = self.started and not self.resting
        news = learning and bench.saved > self._told
        if news and now - self._told > pause:
            self._told = now
            yield MemberSaved(self._newest, bench.out, "networks so far")

    def hold_back(self) -> None:
        """Let nobody learn from what there is, until it is let go again."""
        for supply in self._supplies:
            supply.held_back = True

    def let_go(self) -> None:
        """Learn again."""
        for supply in self._supplies:
            supply.held_back = False

    def stop(self) -> None:
        """End all networks; what they have learned stays on the bench."""
        for job in self._jobs:
            job.cancel()
        for job in self._jobs:
            job.wait(SECONDS_TO_STOP)
        for job in self._jobs:
            for event in job.drain():
                if isinstance(event, EpochDone):
                    self._note(event)
        self.free_threads()
        self._jobs, self._supplies = [], []

    def free_threads(self) -> None:
        """Leave the cores to others, while there is nothing to learn."""
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        self._threads = None

    def _share_threads(self) -> None:
        # One thread per network beats two threads on one by a third.
        if self.bench.device.type == "cpu" and self._threads is None:
            self._threads = torch.get_num_threads()
            torch.set_num_threads(max(1, self._threads // len(self.bench.networks)))

    def _note(self, event: EpochDone) -> None:
        self.bench.changed = True
        self._newest = event.member
        self.bench.networks[event.member].fraction = event.fraction

    def _is_known(self, event: Event) -> bool:
        """Whether another network has said the same."""
        if not isinstance(event, Message):
            return False
        known = event.text in self._said
        self._said.add(event.text)
        return known

    def _progress(self, event: EpochDone) -> Progress:
        networks = self.bench.networks
        return Progress(
            done=sum(int(100 * member.fraction) for member in networks),
            total=100 * len(networks),
            what="training",
            seconds_left=event.seconds_left,
        )

    def _work(self, number: int, deadline: float | None) -> Iterator[Event]:
        settings, mine = self.bench.settings, self.bench.networks[number]
        with turn(self.bench.device):
            network = mine.network.to(self.bench.device)
        yield from fit(
            network,
            self._supplies[number],
            plan=Plan(
                member=number,
                epochs=settings.epochs,
                batch=settings.batch,
                learning_rate=settings.learning_rate,
                seed=seed_of(settings, number),
                deadline=deadline,
                begin=mine.fraction,
                optimiser=settings.optimiser,
                schedule=settings.schedule,
                plateau_wait=settings.plateau_wait,
                plateau_factor=settings.plateau_factor,
                patience=settings.patience,
                clip=settings.clip,
                precision=settings.precision,
            ),
            outcome=mine.outcome,
        )


def is_due(bench: Bench) -> bool:
    """Each epoch is saved at once; quick ones together, at least every second."""
    waited = time.monotonic() - bench.saved
    return bench.changed and (waited > LONGEST or waited * MOST_SAVING >= bench.cost)


def seed_of(settings: FitSettings, number: int) -> int:
    """What decides everything random about a network."""
    return settings.seed * 1000 + number
