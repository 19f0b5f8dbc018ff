"""Whether probabilities mean what they say, as a curve."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from napari_sashiko.errors import PlotError
from napari_sashiko.plots._figure import (
    PLOTS,
    PlotData,
    add_legend,
    dress,
    new_figure,
    only_left_and_bottom,
)
from napari_sashiko.plots._style import PlotStyle
from napari_sashiko.volumes import reading

SMALLEST, LARGEST = 8.0, 60.0  # areas of dots, points squared


@dataclass(frozen=True)
class ReliabilityCurve:
    """Top-label calibration in bins of equal width over [0, 1].

    Parameters
    ----------
    name : str
        What was judged.
    confidence, accuracy : tuple of float
        Means per bin; anything in an empty one.
    counts : tuple of int
        Voxels per bin.
    """

    name: str
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def filled(self) -> list[tuple[float, float, int]]:
        """Confidence, accuracy and voxels of the bins that hold any."""
        rows = zip(self.confidence, self.accuracy, self.counts, strict=True)
        return [row for row in rows if row[2] > 0]

    @property
    def expected_error(self) -> float:
        """Mean of ``|accuracy - confidence|``, weighted by voxels."""
        gaps = sum(n * abs(right - said) for said, right, n in self.filled)
        return gaps / max(sum(self.counts), 1)


@dataclass(frozen=True)
class Reliability(PlotData):
    """Curves to compare."""

    curves: tuple[ReliabilityCurve, ...]


def reliability_curve(name: str, record: Mapping[str, Any]) -> ReliabilityCurve:
    """Read a curve as `CalibrationScores.record` writes it.

    Raises
    ------
    OutputError
        If the record is damaged.
    """
    with reading(f"The calibration of the {name}", "Train or evaluate again."):
        said, right = (
            tuple(math.nan if v is None else float(v) for v in record[key])
            for key in ("confidence", "accuracy")
        )
        counts = tuple(int(n) for n in record["counts"])
        found = ReliabilityCurve(name, said, right, counts)
        for one, other, _ in found.filled:
            if not (0 <= one <= 1 and 0 <= other <= 1):
                raise ValueError(f"a bin of confidence {one} and accuracy {other}")
    return found


@PLOTS.register("reliability")
def reliability(data: Reliability, style: PlotStyle) -> Figure:
    """Reliability of the probabilities.

    How often voxels are right, against how probable they say their class is. On the
    diagonal a probability means what it says; below it is too sure. Dots grow with the
    voxels in their bin, whose shares stand underneath.
    """
    curves = [curve for curve in data.curves if curve.filled]
    if not curves:
        raise PlotError("No voxel was judged: there is no reliability curve.")
    figure = new_figure(style, min(style.width, 5.4) * 0.95)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot((0, 1), (0, 1), "--", color=style.faint, linewidth=1, label="ideal")
    for number, curve in enumerate(curves):
        colour = style.line(number)
        said, right, counts = (np.array(v) for v in zip(*curve.filled, strict=True))
        label = f"{curve.name}, error {curve.expected_error:.3f}"
        upper.plot(said, right, "-", color=colour, linewidth=1.4, label=label)
        areas = SMALLEST + (LARGEST - SMALLEST) * counts / counts.max()
        upper.scatter(said, right, s=areas, color=colour, zorder=3)
        edges = np.linspace(0, 1, len(curve.counts) + 1)
        shares = 100 * np.array(curve.counts) / sum(curve.counts)
        lower.stairs(
            shares, edges, fill=number == 0, color=colour, linewidth=1.4, alpha=0.8
        )
    dress(upper, style, y="share of voxels that are right")
    dress(lower, style, x="probability of the most probable class", y="voxels (%)")
    upper.set(xlim=(0, 1), ylim=(0, 1.02))
    lower.set_ylim(bottom=0)
    for axes in (upper, lower):
        only_left_and_bottom(axes)
    add_legend(upper, style, loc="upper left")
    return figure
