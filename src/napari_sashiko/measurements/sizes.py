"""How large the objects of one member are: quantiles and counts in common bins.

Strategy: the bins are fixed before any object is known, at powers of ten of the unit.
So all members share them, a member is reduced to a few hundred numbers at once, and
whoever plots may merge neighbours.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.config import Settings

if TYPE_CHECKING:
    import pandas as pd

QUANTITIES = ("volume", "diameter", "length")
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
STATISTICS = ("mean", "p10", "p25", "median", "p75", "p90")
COLUMNS = ("volume", "length", "touches_border")
PER_DECADE = 40  # bins: each is 6 % wider than the one before
ROUNDING = 1e-9  # of a logarithm: 10 is in the bin that begins at 10

Floats = npt.NDArray[np.float64]


class Sizes(Settings):
    """One quantity of all objects of one member.

    Parameters
    ----------
    mean : float
        In the unit of the quantity.
    quantiles : tuple of float
        10, 25, 50, 75 and 90 %.
    first : int
        Number of the first bin: bin ``i`` goes from ``10**(i / 40)`` to
        ``10**((i + 1) / 40)``.
    counts : tuple of int
        Objects in each bin from there on.
    """

    mean: float
    quantiles: tuple[float, ...]
    first: int
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: Floats) -> "Sizes":
        """Reduce the sizes of at least one object, all above 0."""
        bins = np.floor(np.log10(values) * PER_DECADE + ROUNDING).astype(np.int64)
        first = int(bins.min())
        return cls(
            mean=float(values.mean()),
            quantiles=tuple(float(q) for q in np.quantile(values, QUANTILES)),
            first=first,
            counts=tuple(int(n) for n in np.bincount(bins - first)),
        )

    def statistic(self, name: str) -> float:
        """One of `STATISTICS`."""
        place = STATISTICS.index(name)
        return self.quantiles[place - 1] if place else self.mean


def bin_edge(number: int) -> float:
    """Where bin `number` begins."""
    return float(10 ** (number / PER_DECADE))


def read_objects(table: Path, *, flat: bool) -> tuple[dict[str, Sizes], int, int]:
    """Reduce a table of objects.

    Parameters
    ----------
    table : Path
        CSV file with a row for each object.
    flat : bool
        Whether volumes are areas.

    Returns
    -------
    sizes : dict
        By quantity; empty if there are no objects.
    count, at_border : int
        Objects, and those of them whose size is a lower bound.
    """
    import pandas as pd  # noqa: PLC0415 - slow to load

    rows = pd.read_csv(table, usecols=list(COLUMNS))
    if rows.empty:
        return {}, 0, 0
    return (
        {name: Sizes.of(values) for name, values in _quantities(rows, flat).items()},
        len(rows),
        int(rows["touches_border"].sum()),
    )


def _quantities(rows: "pd.DataFrame", flat: bool) -> dict[str, Floats]:  # noqa: FBT001
    volume = _floats(rows["volume"])
    return {
        "volume": volume,
        "diameter": equivalent_diameter(volume, flat=flat),
        "length": _floats(rows["length"]),
    }


def equivalent_diameter(volume: Floats, *, flat: bool) -> Floats:
    """Diameter of a ball of that volume, or of a disc of that area where `flat`.

    ``(6 V / pi)**(1/3)`` and ``(4 A / pi)**(1/2)``.
    """
    scaled = volume * ((4 if flat else 6) / math.pi)
    return np.asarray(scaled ** (1 / 2 if flat else 1 / 3))


def _floats(column: Any) -> Floats:
    return np.asarray(column, np.float64)
