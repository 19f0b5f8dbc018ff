"""A number over the members of an ensemble: weighted mean and standard deviation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """What the members say about one number.

    Parameters
    ----------
    mean : float or None
        None where no member has a value.
    std : float or None
        How much members disagree; None where fewer than two have a value: one member
        has no spread, which is not a spread of 0.
    members : int
        How many have a value.
    """

    mean: float | None
    std: float | None
    members: int

    def times(self, factor: float) -> "Spread":
        """Return the same in another unit, for example in percent."""
        return Spread(
            None if self.mean is None else self.mean * factor,
            None if self.std is None else self.std * abs(factor),
            self.members,
        )


def spread_of(values: Sequence[float | None], weights: Sequence[float]) -> Spread:
    """Weighted mean and weighted population standard deviation.

    With weights ``w`` that are made to sum to 1 over the members that have a value::

        mean = sum(w * x)
        std = sqrt(sum(w * (x - mean)**2))

    the same that `Ensemble` does for each voxel. It is neither divided by the root of
    the number of members (the question is how far models are apart, not how well their
    mean is known) nor widened for their being few.

    Parameters
    ----------
    values : sequence of float or None
        One for each member; None where it has none, for example the median length of
        no objects.
    weights : sequence of float
        Of the members, above 0.
    """
    known = [(x, w) for x, w in zip(values, weights, strict=True) if x is not None]
    if not known:
        return Spread(None, None, 0)
    first = known[0][0]
    shares = np.array([w for _, w in known], float)
    shares /= shares.sum()
    # About the first value: members that agree deviate by nothing, not by rounding.
    steps = np.array([x - first for x, _ in known], float)
    shift = float(shares @ steps)
    std = math.sqrt(float(shares @ (steps - shift) ** 2))
    return Spread(first + shift, std if len(known) > 1 else None, len(known))


def effective_members(weights: Sequence[float]) -> float:
    """How many members of equal weight would vary as much: ``sum(w)**2 / sum(w**2)``.

    Kish, *Survey Sampling* (1965), section 11.7.
    """
    shares = np.array(weights, float)
    return float(shares.sum() ** 2 / (shares**2).sum())
