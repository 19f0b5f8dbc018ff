"""A network as a list of sums over maps, run by compiled code on the CPU.

Strategy: every map is a plane of one buffer, which is kept between calls, as fresh
pages are slower than the arithmetic. A map's plane is given to another map after its
last use.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_sashiko.layers import MARGIN, MOST_OUTPUTS, in_shares, native_sum

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Step:
    """Some maps of equal sources, summed together.

    Attributes
    ----------
    outputs : tuple of int
        Maps that are written.
    sources : tuple of (int, int)
        Maps that are read, each with the dilation of its taps.
    weights : numpy.ndarray
        ``(sources, kz, 3, 3, outputs)`` float32; kz is 1 in 2D.
    bias : numpy.ndarray
        ``(outputs,)``.
    fresh : bool
        Whether sums start from the bias; otherwise they go on from earlier steps.
    finished : int
        So many of the first maps pass through a ReLU and are complete.
    heads : numpy.ndarray
        ``(classes, outputs)``; 0 for maps that are not finished.
    """

    outputs: tuple[int, ...]
    sources: tuple[tuple[int, int], ...]
    weights: Array
    bias: Array
    fresh: bool
    finished: int
    heads: Array

    def parts(self) -> Iterator["Step"]:
        """Cut into steps of as many maps as fit into registers."""
        pieces = -(-len(self.outputs) // MOST_OUTPUTS)
        for place in np.array_split(np.arange(len(self.outputs)), pieces):
            low, high = int(place[0]), int(place[-1]) + 1
            yield Step(
                self.outputs[low:high],
                self.sources,
                np.ascontiguousarray(self.weights[..., low:high]),
                self.bias[low:high].copy(),
                self.fresh,
                min(max(self.finished - low, 0), high - low),
                np.ascontiguousarray(self.heads[:, low:high]),
            )


class Program:
    """The steps of one network in their order.

    Parameters
    ----------
    steps : sequence of Step
        Maps 0..in_channels-1 are the input.
    in_channels : int
        Channels of the input.
    bias : numpy.ndarray
        ``(classes,)`` of the output.
    head : numpy.ndarray
        ``(classes, in_channels)``: what the output reads of the input directly.

    Attributes
    ----------
    widest : int
        Most maps that are finished in one step.
    reach : int
        Largest dilation.
    planes : int
        Maps that are in memory at a time.
    """

    def __init__(
        self, steps: Sequence[Step], in_channels: int, bias: Array, head: Array
    ) -> None:
        self.steps = [part for step in steps for part in step.parts()]
        self.in_channels = in_channels
        self.bias, self.head = bias, head
        self.widest = max(step.finished for step in steps)
        self.reach = max(d for step in self.steps for _, d in step.sources)
        self._places, self.planes = _places(self.steps, in_channels)
        self._kept: list[tuple[tuple[int, ...], Any]] = []

    @property
    def bytes_per_voxel(self) -> int:
        """Memory that a call takes, without the margins of rows."""
        return 4 * (self.planes + 2 * len(self.bias) + self.in_channels)

    def __call__(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes, [Z,] Y, X)`` of ``(B, in_channels, [Z,] Y, X)``."""
        images = x.numpy().astype(np.float32, copy=False)
        deep = images.ndim == 5
        images = images if deep else images[:, :, np.newaxis]
        out = np.empty((len(images), len(self.bias), *images.shape[2:]), np.float32)
        for image, logits in zip(images, out, strict=True):
            self._run(image, logits, 3 if deep else 1)
        return torch.from_numpy(out if deep else out[:, :, 0])

    def _run(self, image: Array, out: Array, taps_z: int) -> None:
        depth, height, width = image.shape[1:]
        left = -(-self.reach // MARGIN) * MARGIN
        # The zeros before a row are also those behind the row above it.
        stride = left + -(-width // MARGIN) * MARGIN
        shape = (self.planes + len(self.bias), depth, height, stride)
        buffer, flat = self._buffer(shape, left)
        rows = buffer[..., left : left + width]
        for channel, place in enumerate(self._places[: self.in_channels]):
            rows[place] = image[channel]
            buffer[place, ..., left + width :] = 0
        logits = rows[self.planes :]
        for k, bias in enumerate(self.bias):
            logits[k] = bias
            for channel in range(self.in_channels):
                logits[k] += self.head[k, channel] * image[channel]
        places = [*self._places, *range(self.planes, len(buffer))]
        starts = left + buffer[0].size * np.array(places, np.int64)
        size = np.array([depth, height, width, stride, taps_z], np.int64)
        in_shares(
            [self._sum(step, flat, starts, size) for step in self.steps], depth * height
        )
        out[:] = logits
        self._kept = [(shape, (buffer, flat))]

    def _sum(
        self, step: Step, flat: Array, starts: Any, shape: Any
    ) -> Callable[[tuple[int, int]], None]:
        sources = np.empty((len(step.sources), 3), np.int64)
        for number, (each, dilation) in enumerate(step.sources):
            sources[number] = starts[each], dilation, number * step.weights[0].size
        arrays = (
            flat,
            starts[list(step.outputs)],
            sources,
            step.weights.ravel(),
            step.bias,
            step.heads,
            starts[len(self._places) :],
        )
        flags = (int(step.fresh), step.finished)
        run = native_sum(len(step.outputs))

        def work(rows: tuple[int, int]) -> None:
            run(arrays, flags, rows, shape)

        return work

    def _buffer(self, shape: tuple[int, ...], left: int) -> Any:
        """Take the buffer of the last call, or a new one full of zeros."""
        try:
            known, kept = self._kept.pop()
        except IndexError:
            known, kept = (), None
        if known == shape:
            return kept
        size = int(np.prod(shape, dtype=np.int64))
        # Behind the last row there must be zeros too, and the rest of a vector.
        flat = np.zeros(size + left + MARGIN, np.float32)
        return flat[:size].reshape(shape), flat


def as_array(values: Tensor) -> Array:
    """Copy of a tensor's numbers, float32."""
    return np.array(values.detach().cpu().numpy(), np.float32)


def as_taps(weight: Tensor) -> Array:
    """Weights ``(outputs, sources, *k)`` in the order of `Step.weights`."""
    taps = as_array(weight)
    taps = taps if taps.ndim == 5 else taps[:, :, np.newaxis]
    return np.ascontiguousarray(taps.transpose(1, 2, 3, 4, 0))


def _places(steps: Sequence[Step], in_channels: int) -> tuple[list[int], int]:
    """Plane of each map, and how many there are: used again after a map's last use."""
    last: dict[int, int] = {}
    for number, step in enumerate(steps):
        for each in (*step.outputs, *(m for m, _ in step.sources)):
            last[each] = number
    places = {each: each for each in range(in_channels)}
    free: list[int] = []
    planes = in_channels
    for number, step in enumerate(steps):
        for each in step.outputs:
            if each in places:
                continue
            if not free:
                free.append(planes)
                planes += 1
            places[each] = free.pop()
        free += [places[each] for each in places if last.get(each) == number]
    return [places[each] for each in sorted(places)], planes
