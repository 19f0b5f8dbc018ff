"""Conformal prediction sets: the classes that a voxel may have, at a coverage.

Strategy: the score of a voxel is 1 - p of its true class, and a set holds every class
whose score is not above a quantile q of the scores of held-out voxels (Angelopoulos &
Bates, arXiv 2107.07511, section 1). Those of one stroke are much alike: a thousand of
them say little more than one about the next stroke, and as many votes would flatter. So
every stroke has one vote, which its voxels share, and the correction for few samples
counts strokes: hierarchical conformal prediction (Lee, Barber & Willett, arXiv
2306.06342). With m strokes of one voxel each, q is the ``ceil((m + 1) coverage)``-th
smallest score, as in the paper above.

What is kept is ``least = 1 - q``, a class's least probability in a set. Comparing with
it loses no tie to the rounding of ``1 - p``.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Self

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import ArrayLike, NDArray
from pydantic import model_validator

from napari_sashiko.config import Settings
from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.metrics._streaming import class_ids, scored

COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
MOST_STROKES = 100  # that are covered by the others
ROUNDING = 1e-9  # of sums of shares of a vote, relative


class SetCalibration(Settings):
    """What held-out strokes say about prediction sets.

    Parameters
    ----------
    strokes, voxels : int
        How many were held out.
    coverages : tuple of float
        Shares of voxels whose set shall hold the true class.
    least : tuple of float
        Least probability of a class in a set, for each coverage; 0 where there are too
        few strokes to leave any class out.
    reached : tuple of float
        Coverage of each stroke's voxels by sets that the other strokes calibrate, the
        mean over strokes; empty in models from before it was kept.
    """

    strokes: Annotated[int, Ge(1)]
    voxels: Annotated[int, Ge(1)]
    coverages: tuple[Annotated[float, Gt(0), Lt(1)], ...]
    least: tuple[Annotated[float, Ge(0), Le(1)], ...]
    reached: tuple[Annotated[float, Ge(0), Le(1)], ...] = ()

    @property
    def able(self) -> tuple[float, ...]:
        """Coverages for which there are strokes enough to leave a class out."""
        return tuple(c for c in self.coverages if strokes_needed(c) <= self.strokes)

    def at(self, coverage: float) -> float:
        """Least probability of a class in a set of this coverage.

        Raises
        ------
        SettingsError
            If it was not calibrated.
        """
        return self.least[self._place(coverage)]

    def reached_at(self, coverage: float) -> float | None:
        """Coverage that was reached where this one was asked for, if it is known.

        Raises
        ------
        SettingsError
            If it was not calibrated.
        """
        place = self._place(coverage)
        return self.reached[place] if self.reached else None

    def _place(self, coverage: float) -> int:
        for place, known in enumerate(self.coverages):
            if math.isclose(known, coverage):
                return place
        raise SettingsError(
            f"There are no prediction sets of coverage {coverage:g}.",
            f"Choose from: {', '.join(f'{known:g}' for known in self.coverages)}.",
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.coverages) != len(self.least):
            raise ValueError(
                f"{len(self.least)} least probabilities for {len(self.coverages)} "
                "coverages"
            )
        if len(self.reached) not in (0, len(self.coverages)):
            raise ValueError(
                f"{len(self.reached)} coverages reached of {len(self.coverages)}"
            )
        return self


def strokes_needed(coverage: float) -> int:
    """Fewest held-out strokes with which a set can leave a class out.

    ``m / (m + 1) >= coverage``: 9 for 0.9, 19 for 0.95.
    """
    return math.ceil(coverage / (1.0 - coverage) - ROUNDING)


def calibrate_sets(
    probabilities: ArrayLike,
    truth: ArrayLike,
    classes: int | Sequence[int],
    *,
    strokes: ArrayLike | None = None,
    coverages: Sequence[float] = COVERAGES,
) -> SetCalibration:
    """Calibrate prediction sets on voxels that nobody has learned from.

    A set holds the true class of a voxel of a stroke like these at least as often as
    `coverage` says, on average over strokes. Voxels unlike those of strokes are not
    promised anything.

    Parameters
    ----------
    probabilities : array
        ``(C, *S)``, as predictions will say them.
    truth : array
        ``(*S)`` class ids, 0 = not held out.
    classes : int or sequence of int
        Number of classes (ids 1..C), or their ids in channel order.
    strokes : array, optional
        ``(*S)``: voxels with the same number are one stroke. Each voxel stands for
        itself when left out: that is right only where they are independent.
    coverages : sequence of float
        In (0, 1).

    Raises
    ------
    LabelError
        If shapes do not fit, a class id is unknown, or no voxel has a truth.
    """
    truth = np.asarray(truth)
    p, channels = scored(probabilities, truth, class_ids(classes))
    if not channels.size:
        raise LabelError("No voxel has a truth.", "Hold some strokes out.")
    place, votes, count = _votes(truth, strokes)
    true_p = np.take_along_axis(p, channels[np.newaxis], axis=0)[0]
    order = np.argsort(-true_p)  # of ascending scores
    falling, place, votes = true_p[order], place[order], votes[order]
    so_far = np.cumsum(votes)
    return SetCalibration(
        strokes=count,
        voxels=channels.size,
        coverages=tuple(coverages),
        least=tuple(
            _least(falling, so_far, (count + 1) * coverage) for coverage in coverages
        ),
        reached=_reached(falling, place, votes, coverages) if count > 1 else (),
    )


def in_set(probabilities: NDArray[np.floating], least: float) -> NDArray[np.bool_]:
    """Whether each class belongs to the set of its voxel; none may.

    `least` is rounded as the probabilities were: rounding keeps the order, so that what
    was in a set stays in it.

    Parameters
    ----------
    probabilities : numpy.ndarray
        Any shape, rounded to its type from what was calibrated.
    least : float
        Least probability of a class in a set.
    """
    return np.asarray(probabilities >= probabilities.dtype.type(least))


def _votes(
    truth: NDArray[Any], strokes: ArrayLike | None
) -> tuple[NDArray[np.intp], NDArray[np.float64], int]:
    """Return each scored voxel's stroke, its share of that vote, and the votes."""
    known = truth != 0
    if strokes is None:
        count = int(known.sum())
        return np.arange(count), np.ones(count), count
    numbers = np.asarray(strokes)
    if numbers.shape != truth.shape:
        raise LabelError(
            f"Strokes of shape {numbers.shape} do not fit a truth of shape "
            f"{truth.shape}."
        )
    _, place, sizes = np.unique(numbers[known], return_inverse=True, return_counts=True)
    return place.ravel(), 1.0 / sizes[place.ravel()], len(sizes)


def _reached(
    falling: NDArray[np.float64],
    place: NDArray[np.intp],
    votes: NDArray[np.float64],
    coverages: Sequence[float],
) -> tuple[float, ...]:
    """Cover strokes, one after the other, by sets that all others calibrate.

    Of many strokes some stand for all: what is told has two digits.
    """
    count = int(place.max()) + 1
    drawn = range(0, count, -(-count // MOST_STROKES))
    covered = np.zeros(len(coverages))
    for stroke in drawn:
        others = place != stroke
        their, so_far = falling[others], np.cumsum(votes[others])
        mine = falling[~others]
        for number, coverage in enumerate(coverages):
            covered[number] += np.mean(mine >= _least(their, so_far, count * coverage))
    return tuple((covered / len(drawn)).tolist())


def _least(
    falling: NDArray[np.float64], reached: NDArray[np.float64], wanted: float
) -> float:
    """Probability at which the votes suffice; 0 (all classes) if they never do."""
    place = int(np.searchsorted(reached, wanted * (1.0 - ROUNDING)))
    return float(falling[place]) if place < len(falling) else 0.0
