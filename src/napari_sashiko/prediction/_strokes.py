"""Strokes of paint that are called another class than they were painted.

Strategy: a model has learned from most strokes and tends to believe them, also those
that are wrong. Who has not seen a stroke gives the fairer verdict, for whom the caller
may speak. Of that and of what the model says, the surer one is told.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels import (
    Dispute,
    LabelledVoxels,
    disputed_strokes,
    stroke_components,
)
from napari_sashiko.patches import flat_places
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
    """Ask about painted voxels, block by block, and judge whole strokes.

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
    frame : int, optional
        Slices of a frame: no stroke goes on in the next one.

    Attributes
    ----------
    pieces : list of Piece
        The blocks with paint, in random order.
    """

    def __init__(
        self,
        asked: Asked,
        labelled: LabelledVoxels,
        most: int,
        seed: int,
        *,
        frame: int | None = None,
    ) -> None:
        self._asked = asked
        known = _drawn(labelled, asked, most, seed)
        self._paint = LabelledVoxels(
            labelled.coords[known], labelled.values[known], labelled.shape
        )
        self.pieces = _pieces(self._paint, asked.block, seed)
        self._stroke = stroke_components(self._paint, frame=frame)
        self._places = flat_places(self._paint)
        shape = (len(self._paint), len(asked.ids))
        self._said = np.full(shape, np.nan, np.float32)
        self._std = np.zeros(len(self._paint), np.float32)

    @property
    def strokes(self) -> int:
        """Strokes that were looked at."""
        return len(np.unique(self._stroke[np.isfinite(self._said[:, 0])]))

    def look(self, piece: Piece) -> None:
        """Ask about the paint of one block."""
        mean, std = self._asked.look(piece.region)
        start = [part.start for part in piece.region]
        at = tuple((self._paint.coords[piece.rows] - start).T)
        self._said[piece.rows] = mean[(slice(None), *at)].T
        self._std[piece.rows] = std[(slice(None), *at)].max(axis=0)

    def places(self, count: int, others: Sequence[Dispute] = ()) -> list[Place]:
        """Strokes that are called another class.

        Parameters
        ----------
        count : int
            How many at most.
        others : sequence of Dispute
            What somebody says who has not seen the strokes.

        Returns
        -------
        list of Place
            The surest disagreement first.
        """
        surest: dict[int, Dispute] = {}
        own = disputed_strokes(
            self._paint, self._stroke, self._said, self._asked.ids, count
        )
        for each in (*own, *others):
            stroke = self._stroke_at(each.coords)
            if stroke is None:
                continue
            known = surest.setdefault(stroke, each)
            if each.probability > known.probability:
                surest[stroke] = each
        ranked = sorted(
            surest.items(), key=lambda item: (-item[1].probability, item[1].coords)
        )
        return [self._place(*item) for item in ranked[:count]]

    def _stroke_at(self, coords: Triple) -> int | None:
        """Stroke of a voxel; None if it is not among those that are judged."""
        place = np.ravel_multi_index(coords, self._paint.shape)
        row = int(np.searchsorted(self._places, place))
        there = row < len(self._places) and self._places[row] == place
        return int(self._stroke[row]) if there else None

    def _place(self, stroke: int, dispute: Dispute) -> Place:
        return Place(
            coords=dispute.coords,
            score=dispute.probability,
            kind="disagrees",
            classes=(dispute.painted, dispute.called),
            probability=dispute.probability,
            std=float(self._std[self._stroke == stroke].mean()),
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
