"""What other strokes say about a stroke: a forest that has not seen it is asked.

Strategy: a model believes most strokes that it has learned from, also those of a wrong
class. So strokes are held out in turn, and small forests that learned from the others
judge them (confident learning: Northcutt, Jiang & Chuang, J. Artif. Intell. Res. 70,
1373, 2021, with strokes in the place of samples). A few voxels of each stroke suffice,
and no stroke counts more than another for being long.
"""

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels import (
    Dispute,
    LabelledVoxels,
    disputed_strokes,
    stroke_components,
)
from napari_sashiko.patches import Folds, fold_labelled
from napari_sashiko.runners import Event, Tick, aside
from napari_sashiko.training._desk import GUARD
from napari_sashiko.training.choices import make_choices
from napari_sashiko.training.features import filter_bank
from napari_sashiko.training.held_out import cross_fit, features_at
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.volumes import Volume, measure_normalisation

FOLDS = 4
TREES = 24
OF_A_STROKE = 60  # voxels
OF_ALL = 6000  # voxels: a forest of them is grown within a second
TOO_MUCH = 1_000_000  # painted voxels; such paint was not made by hand

Turns = tuple[NDArray[np.int64], Folds]  # strokes, and who holds them out
Part = tuple[NDArray[np.int64], NDArray[np.float32]]  # rows and their features


def disputed_by_others(
    volume: Volume,
    labelled: LabelledVoxels,
    *,
    most: int,
    seed: int = 0,
    seconds: float | None = None,
) -> Generator[Event, None, list[Dispute]]:
    """Find strokes that look like another class to whoever knows the other strokes.

    Parameters
    ----------
    volume : Volume
        The image; what surrounds paint is read.
    labelled : LabelledVoxels
        The paint.
    most : int
        How many are returned at most.
    seed : int
        Decides which voxels and folds.
    seconds : float, optional
        After which no more of the paint is read; what was read is judged.

    Yields
    ------
    Tick

    Returns
    -------
    list of Dispute
        The surest first; none where there is one class, or very much paint.
    """
    start = time.monotonic()
    ids, channels = np.unique(labelled.values, return_inverse=True)
    if len(ids) < 2 or len(labelled) > TOO_MUCH:
        return []
    yield Tick()
    choices = make_choices(volume, labelled, TrainingSettings.checked())

    def deal() -> Turns:
        folds = fold_labelled(
            labelled,
            FOLDS,
            guard=GUARD,
            spacing=choices.spacing,
            seed=seed,
            frame=volume.frame,
        )
        return stroke_components(labelled, frame=volume.frame), folds

    strokes, folds = yield from aside(deal)
    rows = _sample(strokes, seed)
    paint = LabelledVoxels(labelled.coords[rows], labelled.values[rows], volume.shape)
    bank = filter_bank(choices, slants=True)
    end = math.inf if seconds is None else start + seconds
    normalisation = measure_normalisation(volume, seed)
    read, features = yield from _read(
        features_at(volume, normalisation, paint, bank), end
    )
    said = np.full((len(paint), len(ids)), np.nan, np.float32)
    if len(np.unique(channels[rows][read])) < 2:
        return []
    forests = cross_fit(
        features,
        channels[rows][read],
        _of(folds, rows[read]),
        bank,
        asked=FOLDS,
        trees=TREES,
        seed=seed,
        threads=1,
    )
    for places, probabilities, _ in forests:
        said[read[places]] = 0  # for classes that were not read
        said[read[places], : probabilities.shape[1]] = probabilities
        yield Tick()
    return disputed_strokes(paint, strokes[rows], said, ids.tolist(), most)


def _read(parts: Iterator[Part], end: float) -> Generator[Event, None, Part]:
    """Rows in order and their features, as far as there is time."""
    found = []
    for part in parts:
        found.append(part)
        yield Tick()
        if time.monotonic() > end:
            break
    rows = np.concatenate([each for each, _ in found])
    order = np.argsort(rows)
    return rows[order], np.concatenate([each for _, each in found])[order]


def _sample(strokes: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rows of a few voxels of each stroke, in order."""
    rng = np.random.default_rng(seed)
    mixed = rng.permutation(len(strokes))
    by_stroke = mixed[np.argsort(strokes[mixed], kind="stable")]
    counts = np.bincount(strokes)
    rank = np.arange(len(strokes)) - np.repeat(np.cumsum(counts) - counts, counts)
    few = by_stroke[rank < OF_A_STROKE]
    if len(few) > OF_ALL:
        few = rng.choice(few, OF_ALL, replace=False)
    return np.sort(few)


def _of(folds: Folds, rows: NDArray[np.int64]) -> Folds:
    return replace(folds, fold=folds.fold[rows], train=folds.train[:, rows])
