"""Which classes are taken for which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_sashiko.errors import PlotError
from napari_sashiko.labels import LabelClass
from napari_sashiko.plots._figure import (
    FONT,
    PLOTS,
    WORDS,
    PlotData,
    add_bar,
    dress,
    new_figure,
)
from napari_sashiko.plots._style import PlotStyle
from napari_sashiko.volumes import reading

MOST_WRITTEN = 8  # classes, of which every number is written
PALE = 0.5  # shares from here on are written in black


@dataclass(frozen=True)
class Confusion(PlotData):
    """Counts of (true class, predicted class).

    Parameters
    ----------
    classes : tuple of LabelClass
        In the order of rows and columns.
    counts : tuple of tuple of int
        Voxels; rows are the truth.
    """

    classes: tuple[LabelClass, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each true class by predicted class, (K, K); NaN without voxels."""
        counts = np.array(self.counts, float)
        with np.errstate(invalid="ignore"):
            return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def confusion_of(
    record: Mapping[str, Any], classes: Sequence[LabelClass], note: str = ""
) -> Confusion:
    """Read a matrix: ``classes``, their ids in its order, and ``counts``.

    Raises
    ------
    OutputError
        If it is damaged, or has classes that nobody knows.
    """
    known = {each.id: each for each in classes}
    with reading("The confusion matrix", "Train or evaluate again."):
        found = tuple(known[int(number)] for number in record["classes"])
        counts = tuple(tuple(int(n) for n in row) for row in record["counts"])
        if any(len(row) != len(found) for row in (counts, *counts)):
            raise ValueError(f"it is not square, or not for {len(found)} classes")
    return Confusion(found, counts, note=note)


@PLOTS.register("confusion")
def confusion(data: Confusion, style: PlotStyle) -> Figure:
    """Confusion matrix.

    Colours are shares of each true class, that is of each row; numbers are voxels.
    """
    if not np.sum(data.counts):
        raise PlotError("No voxel was judged: there is no confusion matrix.")
    count = len(data.classes)
    figure = new_figure(style, min(style.width, 2.0 + 0.6 * min(count, 7)) * 0.85)
    axes = figure.subplots()
    shares = data.shares
    colours = colormaps["viridis"].with_extremes(bad=style.background)
    drawn = axes.imshow(100 * shares, cmap=colours, vmin=0, vmax=100)
    places = range(count)
    names = [each.name for each in data.classes]
    axes.set_xticks(places, names, rotation=30 if count > 3 else 0)
    axes.set_yticks(places, names)
    dress(axes, style, x="predicted class", y="true class")
    axes.tick_params(length=0, pad=10)
    shown = [each.color for each in data.classes]
    # A square in the colour of the class beside its name.
    for x, y in (([-0.62] * count, places), (places, [count - 0.38] * count)):
        axes.scatter(x, y, s=26, marker="s", color=shown, clip_on=False, zorder=3)
    axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5))
    if count <= MOST_WRITTEN:
        _write_counts(axes, data, shares)
    add_bar(figure, drawn, axes, style, "share of the true class (%)")
    return figure


def _write_counts(axes: Any, data: Confusion, shares: NDArray[np.float64]) -> None:
    for row, numbers in enumerate(data.counts):
        for column, number in enumerate(numbers):
            if np.isfinite(shares[row, column]):
                axes.text(
                    column,
                    row,
                    f"{number:,}".replace(",", "\u2009"),
                    ha="center",
                    va="center",
                    fontsize=WORDS,
                    fontfamily=FONT,
                    color="black" if shares[row, column] >= PALE else "white",
                )
