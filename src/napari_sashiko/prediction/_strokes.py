"""Strokes of paint that are called another class than they were painted."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels import LabelledVoxels, stroke_components
from napari_sashiko.prediction._asked import Asked
from napari_sashiko.prediction.events import Place
from napari_sashiko.prediction.predictor import Triple
from napari_sashiko.volumes import Region

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Piece:
    """The paint of one block: a box around it, and its rows in the labelled voxels."""

    region: Region
    rows: Ints


class StrokeJudge:
    """Ask about painted voxels, block by block, and add up what is said by stroke.

    A stroke is judged as a whole: its edges are often called another class, and that
    says nothing about the hand that painted it.

    Parameters
    ----------
    asked : Asked
        A model or a prediction.
    labelled : LabelledVoxels
        The paint; classes that `asked` does not know are left out.
    most : int
        Blocks that are looked at; where more have paint, some are drawn.
    seed : int
        Decides which, and in which order.

    Attributes
    ----------
    pieces : list of Piece
        The blocks with paint, in random order.
    """

    def __init__(
        self, asked: Asked, labelled: LabelledVoxels, most: int, seed: int
    ) -> None:
        self._asked = asked
        self._ids = np.array(asked.ids)
        known = _drawn(labelled, asked, most, seed)
        self._paint = LabelledVoxels(
            labelled.coords[known], labelled.values[known], labelled.shape
        )
        self.pieces = _pieces(self._paint, asked.block, seed)
        self._stroke = stroke_components(self._paint)
        count, classes = int(self._stroke.max(initial=-1)) + 1, len(self._ids)
        self._seen = np.zeros(count, np.int64)
        self._painted = np.zeros(count, np.int64)  # channel
        self._chances = np.zeros((count, classes))
        self._std = np.zeros(count)
        # Of each class, the voxel of a stroke that is most like it.
        self._best = np.full((count, classes), -1, np.float32)
        self._where = np.zeros((count, classes), np.int64)

    @property
    def strokes(self) -> int:
        """Strokes that were looked at."""
        return int(np.count_nonzero(self._seen))

    def look(self, piece: Piece) -> None:
        """Ask about the paint of one block."""
        mean, std = self._asked.look(piece.region)
        rows, start = piece.rows, [part.start for part in piece.region]
        at = tuple((self._paint.coords[rows] - start).T)
        said, strokes = mean[(slice(None), *at)].T, self._stroke[rows]
        painted = self._paint.values[rows][:, np.newaxis] == self._ids
        self._painted[strokes] = painted.argmax(axis=1)
        np.add.at(self._seen, strokes, 1)
        np.add.at(self._chances, strokes, said)
        np.add.at(self._std, strokes, std[(slice(None), *at)].max(axis=0))
        np.maximum.at(self._best, strokes, said)
        row, channel = np.nonzero(said == self._best[strokes])
        self._where[strokes[row], channel] = rows[row]

    def places(self, count: int) -> list[Place]:
        """Strokes whose mean probability is highest for another class.

        Parameters
        ----------
        count : int
            How many at most.

        Returns
        -------
        list of Place
            The surest disagreement first; of equal ones the longer stroke.
        """
        said = self._chances.argmax(axis=1)
        wrong = np.flatnonzero((self._seen > 0) & (said != self._painted))
        sure = self._chances[wrong, said[wrong]] / self._seen[wrong]
        order = np.lexsort((wrong, -self._seen[wrong], -sure))[:count]
        return [self._place(int(wrong[i]), int(said[wrong[i]])) for i in order]

    def _place(self, stroke: int, said: int) -> Place:
        z, y, x = self._paint.coords[self._where[stroke, said]].tolist()
        sure = float(self._chances[stroke, said] / self._seen[stroke])
        painted = int(self._ids[self._painted[stroke]])
        return Place(
            coords=(z, y, x),
            score=sure,
            kind="disagrees",
            classes=(painted, int(self._ids[said])),
            probability=sure,
            std=float(self._std[stroke] / self._seen[stroke]),
        )


def _drawn(
    labelled: LabelledVoxels, asked: Asked, most: int, seed: int
) -> NDArray[np.bool_]:
    """Voxels of classes that are known, in at most so many blocks."""
    known = np.isin(labelled.values, asked.ids)
    blocks = _block_of(labelled, asked.block)
    there = np.unique(blocks[known])
    if len(there) <= most:
        return known
    drawn = np.random.default_rng(seed).choice(there, most, replace=False)
    return known & np.isin(blocks, drawn)


def _pieces(paint: LabelledVoxels, block: Triple, seed: int) -> list[Piece]:
    blocks = _block_of(paint, block)
    order = np.argsort(blocks, kind="stable")
    ends = np.flatnonzero(np.diff(blocks[order])) + 1
    parts = np.split(order, ends) if len(order) else []
    found = [Piece(_box(paint.coords[rows]), rows) for rows in parts]
    return [found[i] for i in np.random.default_rng(seed).permutation(len(found))]


def _block_of(paint: LabelledVoxels, block: Triple) -> Ints:
    """Number of the block that each voxel lies in."""
    number = np.zeros(len(paint), np.int64)
    for axis, (n, b) in enumerate(zip(paint.shape, block, strict=True)):
        number *= math.ceil(n / b)
        number += paint.coords[:, axis] // b
    return number


def _box(coords: NDArray[np.int32]) -> Region:
    z, y, x = (
        slice(int(low), int(high) + 1)
        for low, high in zip(coords.min(axis=0), coords.max(axis=0), strict=True)
    )
    return z, y, x
