"""What other strokes say about a stroke: a forest that has not seen it is asked.

Strategy: a model believes most strokes that it has learned from, also those of a wrong
class. So strokes are held out in turn, and small forests that learned from the others
judge them (confident learning: Northcutt, Jiang & Chuang, J. Artif. Intell. Res. 70,
1373, 2021, with strokes in the place of samples). A few voxels of each stroke suffice,
and no stroke counts more than another for being long.
"""

import time
from collections.abc import Generator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.forests import FilterBank
from napari_sashiko.labels import (
    Dispute,
    LabelledVoxels,
    disputed_strokes,
    stroke_components,
)
from napari_sashiko.patches import Folds, fold_labelled
from napari_sashiko.runners import Event, Tick, torch_threads
from napari_sashiko.training._desk import GUARD
from napari_sashiko.training.choices import make_choices
from napari_sashiko.training.held_out import cross_fit, features_at
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.volumes import Volume, measure_normalisation

FOLDS = 4
TREES = 24
OF_A_STROKE = 60  # voxels
OF_ALL = 6000  # voxels: a forest of them is grown within a second
TOO_MUCH = 2_000_000  # painted voxels; such paint was not made by hand


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
    strokes = stroke_components(labelled)
    choices = make_choices(volume, labelled, TrainingSettings.checked())
    yield Tick()
    folds = fold_labelled(
        labelled, FOLDS, guard=GUARD, spacing=choices.spacing, seed=seed
    )
    yield Tick()
    rows = _sample(strokes, seed)
    paint = LabelledVoxels(labelled.coords[rows], labelled.values[rows], volume.shape)
    bank = FilterBank(dims=choices.filter_dims, spacing=choices.spacing)
    normalisation = measure_normalisation(volume, seed)
    parts = []
    with torch_threads(1):
        for part in features_at(volume, normalisation, paint, bank):
            parts.append(part)
            yield Tick()
            if seconds is not None and time.monotonic() - start > seconds:
                break
    read = np.concatenate([places for places, _ in parts])
    order = np.argsort(read)  # as folds are numbered
    read, features = read[order], np.concatenate([each for _, each in parts])[order]
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
