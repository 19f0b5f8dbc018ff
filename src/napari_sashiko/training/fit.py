"""One network learns from patches, is judged on what was held out, keeps its best."""

import math
import time
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from napari_sashiko.layers import channels_last, compiles_narrow
from napari_sashiko.networks import Network
from napari_sashiko.runners import (
    Event,
    Message,
    Tick,
    has_fast_bfloat16,
    in_turns,
    interruptible,
    is_out_of_memory,
    release_memory,
    stop_if_asked,
    turn,
)
from napari_sashiko.training.averaging import Average
from napari_sashiko.training.events import EpochDone
from napari_sashiko.training.optimisers import OPTIMISERS, Optimiser
from napari_sashiko.training.outcome import Outcome
from napari_sashiko.training.schedule import REDUCED, WAIT, Clock, Pace
from napari_sashiko.training.supply import Batch, Supply

STEPS = 25  # batches in an epoch
REWIND = 0.6  # share of the schedule that new paint takes it back to
NAP = 0.05  # seconds between looks at the paint when all is learned
SLOW = 5.0  # seconds of a step that are worth a word
NOT_FINITE = (
    "A loss was not a finite number: nothing is learned from such batches. Look at the "
    "settings of the loss, the learning rate and the image."
)


@dataclass(frozen=True)
class Plan:
    """What one network's training needs to know.

    Attributes
    ----------
    member : int
        Which network, from 0.
    epochs, batch : int
        Length of the training and patches in a batch.
    learning_rate : float
        Peak of the schedule.
    seed : int
        Decides patches and their transforms.
    deadline : float or None
        ``time.monotonic()`` at which the schedule must have come to its end.
    begin : float
        Share of the schedule that is left out: what has learned before needs no high
        learning rate.
    optimiser : str
        Name in `OPTIMISERS`.
    schedule : str
        Name in `SHAPES`.
    plateau_wait : int
        Epochs without a better held-out loss after which a plateau lowers the rate.
    plateau_factor : float
        What it leaves of it.
    patience : int
        Epochs without a better held-out loss after which training ends; 0 for never.
    clip : float
        Largest norm of all gradients together.
    precision : {"auto", "full"}
        Whether bfloat16 may be mixed in.
    """

    member: int
    epochs: int
    batch: int
    learning_rate: float
    seed: int
    deadline: float | None
    begin: float = 0.0
    optimiser: str = "adamw"
    schedule: str = "one_cycle"
    plateau_wait: int = WAIT
    plateau_factor: float = REDUCED
    patience: int = 0
    clip: float = 5.0
    precision: str = "auto"


def fit(
    network: Network, supply: Supply, *, plan: Plan, outcome: Outcome
) -> Iterator[Event]:
    """Train a network; `outcome` always holds the best weights so far.

    By default `AdamW` under a one-cycle schedule (Smith, 2018). The schedule follows
    epochs or the clock, whichever is further on. What is judged and kept is a moving
    average of the network. New paint takes the schedule back, and what was the best
    before is forgotten.
    """
    learner = _Learner(network, supply, plan, outcome)
    while True:
        yield from learner.epoch()
        if learner.done < 1:
            continue
        if not supply.endless:
            return
        yield from learner.rest()


class _Learner:
    """A network in training, between one step and the next."""

    def __init__(
        self, network: Network, supply: Supply, plan: Plan, outcome: Outcome
    ) -> None:
        device = self.device = next(network.parameters()).device
        network.to(memory_format=_layout(network, device))  # type: ignore[call-overload]
        self.network = network
        self.supply = supply
        self.material = supply.material
        self.plan = plan
        self.outcome = outcome
        self.optimiser = OPTIMISERS[plan.optimiser](network.parameters())
        self.pace = Pace(
            plan.schedule,
            plan.plateau_wait,
            plan.patience,
            factor=plan.plateau_factor,
        )
        self.average = Average(network)
        self.clock = Clock(plan.epochs * STEPS, plan.deadline, begin=plan.begin)
        self.rng = np.random.default_rng(plan.seed)
        self.generator = torch.Generator().manual_seed(plan.seed)
        self.batch = plan.batch
        self.lean = False  # until memory runs out
        self.warned = False  # of a loss that is not finite
        self.epochs = self.taken = 0

    @property
    def done(self) -> float:
        """Share of the training that is done."""
        return 1.0 if self.pace.over else min(self.clock.fraction(self.taken), 1.0)

    def epoch(self) -> Iterator[Event]:
        """Learn for an epoch and be judged."""
        self.epochs += 1
        self.network.train()
        losses = []
        for _ in range(STEPS):
            yield from self._look_at_supply()
            began = time.monotonic()
            loss = yield from self._step()
            yield from self._say_if_slow(time.monotonic() - began)
            if loss is not None:
                losses.append(loss)
                with turn(self.device):
                    self.average.update(self.network)
            yield Tick()
            if self.done >= 1:
                break
        judging = self.material.judge(self.average.network, self.outcome)
        scores = yield from in_turns(judging, self.device)
        self.pace.note(scores["valid_loss"])
        scores["loss"] = float(np.mean(losses)) if losses else math.nan
        self.outcome.history.append(scores)
        left = math.ceil((1 - self.done) * self.plan.epochs)
        yield EpochDone(
            member=self.plan.member,
            epoch=self.epochs,
            epochs=max(self.plan.epochs, self.epochs + left),
            **scores,
            fraction=self.done,
            seconds_left=self.clock.seconds_left(self.done),
        )

    def rest(self) -> Iterator[Event]:
        """Wait for other paint."""
        self.supply.resting = True
        while self.supply.material.held_out is self.material.held_out:
            yield Tick()
            time.sleep(NAP)
        self.supply.resting = False

    def _look_at_supply(self) -> Iterator[Event]:
        """Take what is new, when it may; other paint takes the schedule back."""
        if self.supply.held_back:
            began = time.monotonic()
            while self.supply.held_back:
                yield Tick()
                time.sleep(NAP)
            self.clock.skip(time.monotonic() - began)
        newest = self.supply.material
        if newest is self.material:
            return
        if newest.held_out is not self.material.held_out:
            self.clock.rewind(self.taken, REWIND)
            self.pace.begin()
            self.outcome.forget()
        self.material = newest

    def _step(self) -> Generator[Event, None, float | None]:
        pace = self.pace.rate(self.clock.fraction(self.taken))
        rate = self.plan.learning_rate * pace
        self.taken += 1
        batch: Batch | None = None
        try:
            with turn(self.device):
                batch = self._draw()
                with interruptible(stop_if_asked):
                    loss = _learn(self.network, batch, self.optimiser, rate, self.plan)
        except RuntimeError as error:
            least = self.batch == 1 and (batch is None or batch.is_least)
            if least or not is_out_of_memory(error):
                raise
        else:
            if loss is None or math.isfinite(loss):
                return loss
            if not self.warned:
                self.warned = True
                yield Message(NOT_FINITE, "warning")
            return None
        if self.batch == 1:
            self.lean, words = True, "without the forest's lessons"
        else:
            self.batch //= 2
            words = f"with batches of {self.batch}"
        del batch
        release_memory()
        yield Message(f"Out of memory: going on {words}.")
        return None

    def _say_if_slow(self, seconds: float) -> Iterator[Event]:
        """Tell once, of the first network, that this is no work for this machine."""
        if seconds < SLOW or self.taken > 1 or self.plan.member:
            return
        yield Message(
            f"A step of {self.network.name!r} takes {seconds:.0f} s on this machine; "
            f"an epoch has {STEPS}. Fewer channels in its settings, smaller patches or "
            "the network 'auto' learn sooner.",
            "warning",
        )

    def _draw(self) -> Batch:
        batch = self.material.draw(self.batch, self.rng, self.generator, lean=self.lean)
        if self.network.drawn is None:
            return batch
        return batch.thinned(self.network.drawn, self.generator)


def _learn(
    network: Network,
    batch: Batch,
    optimiser: Optimiser,
    learning_rate: float,
    plan: Plan,
) -> float | None:
    """Learn from a batch; return the loss that is told of.

    None where there is nothing to learn; NaN where loss or gradients are not finite,
    and then the network is left as it is: one such step would end all learning.
    """
    if batch.is_empty:
        return None  # no step, no change of running statistics
    images = batch.images
    mixed = plan.precision == "auto"
    with autocast(network, images.device) if mixed else nullcontext():
        output, penalty = network.penalised(images, batch.where)
    total, loss = batch.losses(output)
    optimiser.clear()
    (total + penalty).backward()  # type: ignore[no-untyped-call]
    size = torch.nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
    if not bool(torch.isfinite(total.detach() + size)):
        return math.nan
    optimiser.step(learning_rate)
    return float(loss.detach())


def _layout(network: Network, device: torch.device) -> torch.memory_format:
    """Order of a network's weights, which its maps take on."""
    if device.type == "mps" or _is_compiled(network, device):
        return torch.contiguous_format
    if network.dilated and device.type == "cpu" and has_fast_bfloat16(device):
        # oneDNN's backward pass in bfloat16 ends the process from dilation 12 on.
        return torch.contiguous_format
    return channels_last(network.dims)


def autocast(network: Network, device: torch.device) -> Any:
    """bfloat16 where it is faster, full precision elsewhere."""
    exact = device.type == "cpu" and not network.half_gradients
    if has_fast_bfloat16(device) and not exact and not _is_compiled(network, device):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def _is_compiled(network: Network, device: torch.device) -> bool:
    """Whether convolutions are those of `convolve_narrow`, faster than bfloat16."""
    return network.dilated and compiles_narrow(network.dims, device)
