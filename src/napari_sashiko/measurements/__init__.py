"""Measurements: what a volume holds, each number with the spread over the members."""

from napari_sashiko.measurements.measured import Distribution, Measurements
from napari_sashiko.measurements.numbers import MemberNumbers
from napari_sashiko.measurements.sizes import (
    QUANTITIES,
    STATISTICS,
    Sizes,
    read_objects,
)
from napari_sashiko.measurements.spread import Spread, effective_members, spread_of
from napari_sashiko.measurements.words import (
    fractions_of,
    line_of,
    lines_of,
    with_error,
)
from napari_sashiko.measurements.writing import (
    INDEX,
    check_measurements,
    read_measurements,
    write_measurements,
)

__all__ = [
    "INDEX",
    "QUANTITIES",
    "STATISTICS",
    "Distribution",
    "Measurements",
    "MemberNumbers",
    "Sizes",
    "Spread",
    "check_measurements",
    "effective_members",
    "fractions_of",
    "line_of",
    "lines_of",
    "read_measurements",
    "read_objects",
    "spread_of",
    "with_error",
    "write_measurements",
]
