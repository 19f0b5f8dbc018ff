"""How long the objects are."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_sashiko.errors import OutputError, PlotError
from napari_sashiko.plots._figure import (
    PLOTS,
    PlotData,
    add_legend,
    dress,
    new_figure,
    only_left_and_bottom,
)
from napari_sashiko.plots._style import PlotStyle
from napari_sashiko.plots._units import shown_number, shown_unit
from napari_sashiko.runners import Event, Tick

COLUMNS = ["class", "length", "touches_border", "unit"]
ROWS = 100_000  # that are read at once
MOST_BINS = 60
NO_COLOUR = "#808080"


@dataclass(frozen=True, eq=False)
class MemberLengths:
    """How long the objects are that each member of an ensemble finds alone.

    Parameters
    ----------
    edges : numpy.ndarray
        ``(M + 1,)`` edges of bins, in the unit of the lengths.
    counts : numpy.ndarray
        ``(members, M)`` objects in each bin.
    weights : numpy.ndarray
        ``(members,)``, above 0.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64]

    def between(
        self, edges: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weighted mean and standard deviation over the members, in other bins.

        Within a bin, objects are taken to lie evenly.
        """
        start = np.zeros((len(self.counts), 1))
        below = np.concatenate([start, np.cumsum(self.counts, axis=1)], axis=1)
        found = np.diff([np.interp(edges, self.edges, each) for each in below], axis=1)
        shares = self.weights / self.weights.sum()
        mean = shares @ found
        return mean, np.sqrt(shares @ (found - mean) ** 2)


@dataclass(frozen=True)
class Lengths(PlotData):
    """Lengths of the objects of one class.

    Parameters
    ----------
    values : numpy.ndarray
        ``(N,)`` extent along the main axis, in `unit`.
    cut : numpy.ndarray
        ``(N,)`` bool: touches the border of the volume, may be longer.
    unit : str
        ``"pixel"`` when unknown.
    class_name, color : str
        Of the class.
    members : MemberLengths or None
        What the members of the ensemble find alone, where that was measured.
    """

    values: NDArray[np.float64]
    cut: NDArray[np.bool_]
    unit: str
    class_name: str
    color: str = NO_COLOUR
    members: MemberLengths | None = None


def read_lengths(
    path: Path, *, color: str = NO_COLOUR, note: str = ""
) -> Generator[Event, None, Lengths]:
    """Read the lengths from a table of objects, a part at a time.

    Raises
    ------
    OutputError
        If the file is not there, or is no table of objects.
    PlotError
        If it holds no object.
    """
    import pandas as pd  # noqa: PLC0415 - slow to load

    yield Tick()
    values, cut, unit, name = [], [], "pixel", ""
    try:
        with pd.read_csv(path, usecols=COLUMNS, chunksize=ROWS) as parts:
            for part in parts:
                values.append(part["length"].to_numpy(float))
                cut.append(part["touches_border"].to_numpy(bool))
                if len(part):
                    unit, name = str(part["unit"].iloc[0]), str(part["class"].iloc[0])
                yield Tick()
    except (OSError, ValueError) as error:  # pandas' own derive from ValueError
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else "no content"
        raise OutputError(
            f"The table {path} cannot be read: {reason}.", "Find the objects again."
        ) from error
    if not sum(map(len, values)):
        raise PlotError(f"The table {path.name} holds no object.")
    return Lengths(
        np.concatenate(values), np.concatenate(cut), unit, name, color, note=note
    )


def length_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of bins that hold all lengths, from 0 on: as many as they bear."""
    finite = values[np.isfinite(values)]
    top = float(finite.max(initial=0.0)) or 1.0
    bins = len(np.histogram_bin_edges(finite, "auto")) - 1 if len(finite) > 1 else 1
    return np.linspace(0.0, top, min(max(bins, 8), MOST_BINS) + 1)


@PLOTS.register("lengths")
def lengths(data: Lengths, style: PlotStyle) -> Figure:
    """Lengths of the objects.

    Extent of each object along its main axis. What touches the border of the volume
    stands apart, on top: it may go on outside, its length is a lower bound. Error
    bars are the mean and standard deviation over the members of the ensemble, each of
    which has found its objects alone.
    """
    known = np.isfinite(data.values)
    values, cut = data.values[known], data.cut[known]
    if not len(values):
        raise PlotError("No object has a length.")
    edges = length_edges(values)
    whole = np.histogram(values[~cut], edges)[0]
    every = np.histogram(values, edges)[0]
    figure = new_figure(style, 2.9)
    axes = figure.subplots()
    outline: dict[str, Any] = {"edgecolor": style.text, "linewidth": 0.6}
    axes.stairs(
        whole,
        edges,
        fill=True,
        facecolor=data.color,
        label=f"whole, {shown_number((~cut).sum())}",
        **outline,
    )
    if cut.any():
        axes.stairs(
            every,
            edges,
            baseline=whole,
            fill=True,
            facecolor=style.background,
            hatch="////",
            label=f"at the border, {shown_number(cut.sum())}",
            **outline,
        )
    if data.members is not None:
        _draw_members(axes, data.members, edges, style)
    unit = shown_unit(data.unit)
    median = float(np.median(values))
    axes.axvline(
        median,
        color=style.text,
        linestyle="--",
        linewidth=1,
        label=f"median, {shown_number(median)} {unit}",
    )
    dress(
        axes,
        style,
        x=f"length ({unit})",
        y="objects",
        title=f"{shown_number(len(values))} objects of {data.class_name}",
    )
    only_left_and_bottom(axes)
    axes.set(xlim=(0, edges[-1]), ylim=(0, None))
    add_legend(axes, style, loc="upper right")
    return figure


def _draw_members(
    axes: Axes,
    members: MemberLengths,
    edges: NDArray[np.float64],
    style: PlotStyle,
) -> None:
    """Mean and deviation of the members in each bar."""
    mean, std = members.between(edges)
    there = mean > 0
    axes.errorbar(
        ((edges[:-1] + edges[1:]) / 2)[there],
        mean[there],
        yerr=[np.minimum(std, mean)[there], std[there]],  # no bar goes below 0
        fmt="o",
        markersize=2.5,
        color=style.text,
        elinewidth=1,
        capsize=2,
        label=f"{len(members.counts)} members, mean ± std",
    )
