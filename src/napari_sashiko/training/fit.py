"""One network learns from patches, is judged on held-out strokes, keeps its best."""

import copy
import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.layers import channels_last, compiles_narrow
from napari_sashiko.losses import cross_entropy, soft_cross_entropy
from napari_sashiko.metrics import ConfusionMatrix
from napari_sashiko.networks import Network
from napari_sashiko.runners import (
    Event,
    Message,
    Tick,
    has_fast_bfloat16,
    is_out_of_memory,
    release_memory,
)
from napari_sashiko.training.adamw import AdamW
from napari_sashiko.training.averaging import Average
from napari_sashiko.training.events import EpochDone
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.sampler import Sampler, held_out_logits
from napari_sashiko.training.schedule import Clock, one_cycle
from napari_sashiko.training.tiles import Tile
from napari_sashiko.transforms import Transform

STEPS = 25  # batches in an epoch
TAUGHT = 0.5  # patches from random places for each one with paint
WEIGHT_DECAY = 0.1  # few strokes are soon learned by heart


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
        Peak of the one-cycle schedule.
    seed : int
        Decides patches and their transforms.
    deadline : float or None
        ``time.monotonic()`` at which the schedule must have come to its end.
    """

    member: int
    epochs: int
    batch: int
    learning_rate: float
    seed: int
    deadline: float | None


@dataclass(frozen=True)
class Best:
    """A copy of the weights of one epoch and what they say.

    Attributes
    ----------
    state : dict
        Tensors, on the CPU.
    loss : float
        Held-out cross entropy.
    logits : numpy.ndarray or None
        ``(N, K)`` of the held-out voxels; None where nothing could be held out.
    """

    state: dict[str, torch.Tensor]
    loss: float = math.inf
    logits: NDArray[np.float32] | None = None


@dataclass
class Outcome:
    """How far a training is; another thread may read it at any time.

    Attributes
    ----------
    best : Best or None
        The best epoch so far; None before the first one.
    history : list of dict
        Scores by epoch.
    """

    best: Best | None = None
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    Attributes
    ----------
    images, targets : torch.Tensor
        ``(B, C, *S)`` and ``(B, *S)``: patches with paint, 0 where there is none.
    told : tuple of torch.Tensor, optional
        ``(U, C, *S)`` and ``(U, K, *S)``: patches without, and probabilities.
    weight : float
        Of the loss on probabilities against that on paint.
    """

    images: torch.Tensor
    targets: torch.Tensor
    told: tuple[torch.Tensor, torch.Tensor] | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class HeldOut:
    """The voxels that a network is judged on.

    Attributes
    ----------
    tiles : sequence of (Tile, rows)
        Tiles with places in ``tile.rows``.
    values : numpy.ndarray
        ``(N,)`` labels 1..C, in the order of the tiles.
    """

    tiles: Sequence[tuple[Tile, NDArray[np.intp]]]
    values: NDArray[np.intp]


def fit(
    network: Network,
    sampler: Sampler,
    held_out: HeldOut,
    transform: Transform,
    *,
    plan: Plan,
    outcome: Outcome,
    lessons: Lessons | None = None,
) -> Iterator[Event]:
    """Train a network; `outcome` always holds the best weights so far.

    `AdamW` under a one-cycle schedule (Smith, 2018) that follows epochs or the clock,
    whichever is further on. What is judged and kept is a moving average of the network.
    """
    rng = np.random.default_rng(plan.seed)
    generator = torch.Generator().manual_seed(plan.seed)
    device = next(network.parameters()).device
    network.to(memory_format=_layout(network, device))  # type: ignore[call-overload]
    optimiser = AdamW(network.parameters(), weight_decay=WEIGHT_DECAY)
    average = Average(network)
    clock = Clock(plan.epochs * STEPS, plan.deadline)
    batch = plan.batch
    for epoch in range(plan.epochs):
        network.train()
        losses = []
        for step in range(STEPS):
            fraction = clock.fraction(epoch * STEPS + step)
            rate = plan.learning_rate * one_cycle(fraction)
            drawn = _draw(
                sampler, lessons, transform, batch, rng=rng, generator=generator
            )
            try:
                loss = _step(network, drawn, optimiser, rate)
            except RuntimeError as error:
                if not is_out_of_memory(error) or (batch == 1 and lessons is None):
                    raise
                batch, lessons, words = _less(batch, lessons)
                release_memory()
                yield Message(f"Out of memory: going on {words}.")
                continue
            if loss is not None:
                losses.append(loss)
                average.update(network)
            yield Tick()
            if clock.fraction(epoch * STEPS + step + 1) >= 1:
                break
        scores = yield from _judge(average.network, held_out, outcome)
        scores["loss"] = float(np.mean(losses)) if losses else math.nan
        outcome.history.append(scores)
        done = clock.fraction((epoch + 1) * STEPS)
        yield EpochDone(
            member=plan.member,
            epoch=epoch + 1,
            epochs=plan.epochs,
            **scores,
            fraction=min(done, 1.0),
            seconds_left=clock.seconds_left(done),
        )
        if done >= 1:
            return


def _less(batch: int, lessons: Lessons | None) -> tuple[int, Lessons | None, str]:
    """A smaller batch, or one without lessons when it cannot be smaller."""
    if batch == 1:
        return batch, None, "without the forest's lessons"
    return batch // 2, lessons, f"with batches of {batch // 2}"


def _draw(
    sampler: Sampler,
    lessons: Lessons | None,
    transform: Transform,
    count: int,
    *,
    rng: np.random.Generator,
    generator: torch.Generator,
) -> Batch:
    images, targets = transform(*sampler.draw(count, rng), generator)
    if lessons is None:
        return Batch(images, targets)
    told = lessons.draw(max(1, round(TAUGHT * count)), rng)
    return Batch(images, targets, transform(*told, generator), lessons.weight)


def _step(
    network: Network, batch: Batch, optimiser: AdamW, learning_rate: float
) -> float | None:
    """Learn from a batch; return the loss on its paint."""
    if not bool((batch.targets > 0).any()):
        return None  # nothing to learn: no step, no change of running statistics
    painted, images = len(batch.images), batch.images
    if batch.told is not None:
        # In one go, so that running statistics know more than what is near paint.
        images = torch.cat([images, batch.told[0]])
    with autocast(network, images.device):
        logits = network(images)
    total = loss = cross_entropy(logits[:painted].float(), batch.targets.long())
    if batch.told is not None:
        taught = soft_cross_entropy(logits[painted:], batch.told[1])
        total = loss + batch.weight * taught
    optimiser.clear()
    total.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
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
    if has_fast_bfloat16(device) and not _is_compiled(network, device):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def _is_compiled(network: Network, device: torch.device) -> bool:
    """Whether convolutions are those of `convolve_narrow`, faster than bfloat16."""
    return network.dilated and compiles_narrow(network.dims, device)


def _judge(
    network: Network, held_out: HeldOut, outcome: Outcome
) -> Generator[Event, None, dict[str, float]]:
    """Score a network in evaluation mode and keep a copy of it if it is the best."""
    network.eval()
    parts = []
    for tile, rows in held_out.tiles:
        with torch.no_grad():
            parts.append(held_out_logits(network, tile, rows))
        yield Tick()
    if not parts:
        # Nothing could be held out: the last epoch is all there is to go by.
        outcome.best = Best(_copy(network))
        return {"valid_loss": math.nan, "macro_f1": math.nan}
    logits = torch.cat(parts)
    truth = torch.from_numpy(held_out.values.astype(np.int64))
    loss = _loss_at_best_temperature(logits, truth - 1)
    matrix = ConfusionMatrix(logits.shape[1])
    matrix.update(logits.softmax(1).T.numpy(), held_out.values)
    score = matrix.compute().macro_f1
    if loss <= (math.inf if outcome.best is None else outcome.best.loss):
        outcome.best = Best(_copy(network), loss, logits.numpy())
    return {"valid_loss": loss, "macro_f1": score}


def _loss_at_best_temperature(logits: torch.Tensor, channels: torch.Tensor) -> float:
    """Cross entropy after temperature scaling.

    Being too sure is mended later; without this, an early epoch that knows little but
    doubts much would be kept.
    """
    return min(
        float(torch.nn.functional.cross_entropy(logits / t, channels))
        for t in (0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
    )


def _copy(network: Network) -> dict[str, torch.Tensor]:
    return {
        name: copy.deepcopy(tensor.detach()).cpu()
        for name, tensor in network.state_dict().items()
    }
