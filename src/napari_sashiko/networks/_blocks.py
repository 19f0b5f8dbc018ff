"""Wide layers that look at one voxel alone, done block by block."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

MOST_VALUES = 1 << 24  # of a map: 64 MB in float32
Box = tuple[tuple[int, int], ...]


def part_of(maps: Tensor, box: Box) -> Tensor:
    """Cut a box out of ``(B, C, *S)``."""
    where: tuple[Any, ...] = (..., *(slice(*span) for span in box))
    return maps[where]


def in_blocks(
    judge: Callable[[Box | None], Tensor], like: Tensor, width: int, *, align: int = 1
) -> Tensor:
    """Judge blocks of an image in turn, so that wide maps of all of it never exist.

    What is to learn, or to be traced, is judged in one go.

    Parameters
    ----------
    judge : callable
        Of a box (start, stop per axis; None for all) it returns ``(B, K, *box)``.
    like : Tensor
        ``(B, C, *S)`` of the image's size.
    width : int
        Channels of the widest map.
    align : int
        Voxels at whose multiples blocks begin.
    """
    if torch.is_grad_enabled() or torch.compiler.is_compiling():
        return judge(None)
    sides = like.shape[2:]
    edges = _edges(sides, MOST_VALUES / (width * len(like)), align)
    if all(edge >= side for edge, side in zip(edges, sides, strict=True)):
        return judge(None)
    out: Tensor | None = None
    for box in _boxes(sides, edges):
        said = judge(box)
        if out is None:
            out = said.new_empty((*said.shape[:2], *sides))
        part_of(out, box).copy_(said)
    return out  # type: ignore[return-value]


def _edges(sides: Sequence[int], most: float, align: int) -> list[int]:
    """Multiples of `align`, the last axis the longest, of few voxels together."""
    edges = [align] * len(sides)
    for axis in reversed(range(len(sides))):
        others = math.prod(edges) // align
        longest = max(1, int(most / others) // align)
        edges[axis] = align * min(longest, -(-sides[axis] // align))
    return edges


def _boxes(sides: Sequence[int], edges: Sequence[int]) -> Iterator[Box]:
    spans = (
        [(start, min(start + edge, side)) for start in range(0, side, edge)]
        for side, edge in zip(sides, edges, strict=True)
    )
    return itertools.product(*spans)
