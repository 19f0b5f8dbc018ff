"""Grey values by class: how far the image alone tells classes apart."""

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_sashiko.errors import PlotError
from napari_sashiko.labels import LabelClass, LabelledVoxels
from napari_sashiko.plots._figure import (
    PLOTS,
    PlotData,
    add_legend,
    dress,
    new_figure,
    only_left_and_bottom,
)
from napari_sashiko.plots._sampling import painted_tiles
from napari_sashiko.plots._style import PlotStyle
from napari_sashiko.runners import Event, Progress
from napari_sashiko.volumes import Region, Volume, beyond, extents_of

MOST_TILES = 400
MOST_VALUES = 4_000_000  # of each kind: then no more is read
TAILS = (0.1, 99.9)  # percentiles at which the axis ends
ROW = 1.1  # inches for a class

Counts = Mapping[int, NDArray[np.int64]]
Values = dict[int, NDArray[Any]]


@dataclass(frozen=True)
class Intensities(PlotData):
    """Histograms of one image channel, by class.

    Parameters
    ----------
    classes : tuple of LabelClass
        Those of which there are any voxels.
    edges : numpy.ndarray
        ``(B + 1,)`` grey values.
    painted, predicted : mapping of int to numpy.ndarray
        Voxels ``(B,)`` by class id; values beyond the ends count in the outer bins.
    channel : str
        Name of the channel, empty where there is one only.
    """

    classes: tuple[LabelClass, ...]
    edges: NDArray[np.float64]
    painted: Counts
    predicted: Counts
    channel: str = ""


def read_painted(
    volume: Volume, labelled: LabelledVoxels, *, channel: int = 0, seed: int = 0
) -> Generator[Event, None, Values]:
    """Read the grey values of painted voxels, tile by tile, up to a bound.

    Returns
    -------
    dict
        ``(n,)`` finite values by class id.
    """
    found: dict[int, list[NDArray[Any]]] = defaultdict(list)
    held = 0
    tiles = painted_tiles(labelled, MOST_TILES, seed)
    for number, (region, places, ids) in enumerate(tiles, start=1):
        z, y, x = places.T
        held += _sort(volume.read(region)[channel][z, y, x], ids, found)
        yield Progress(number, MOST_TILES, "grey values of paint")
        if held > MOST_VALUES:
            break
    return _joined(found)


def read_predicted(
    volume: Volume, class_ids: Any, regions: Sequence[Region], *, channel: int = 0
) -> Generator[Event, None, Values]:
    """Read the grey values of predicted voxels in some regions.

    Parameters
    ----------
    volume : Volume
        The image.
    class_ids : array
        ``([Z,] Y, X)`` of the same voxels; 0 is not predicted yet.
    regions : sequence of Region
        Where to look.
    channel : int
        Of the image.

    Returns
    -------
    dict
        ``(n,)`` finite values by class id.
    """
    found: dict[int, list[NDArray[Any]]] = defaultdict(list)
    held, extents = 0, extents_of(volume)
    for number, region in enumerate(regions, start=1):
        box = region[1:] if class_ids.ndim == 2 else region
        ids = np.asarray(class_ids[box])
        if extents is not None:  # beyond a picture is its mirror image
            ids = np.where(beyond(extents, region), 0, ids)
        held += _sort(volume.read(region)[channel].ravel(), ids.ravel(), found)
        yield Progress(number, len(regions), "grey values of classes")
        if held > MOST_VALUES:
            break
    return _joined(found)


def count_intensities(
    classes: Sequence[LabelClass],
    painted: Values,
    predicted: Values,
    *,
    bins: int = 64,
    channel: str = "",
    note: str = "",
) -> Intensities:
    """Count grey values in bins that all classes share.

    Raises
    ------
    PlotError
        If there are no values.
    """
    everything = [*painted.values(), *predicted.values()]
    if not sum(len(part) for part in everything):
        raise PlotError("No voxel of a known class has a grey value.")
    edges = bin_edges(np.concatenate(everything), bins)

    def counted(values: Values) -> Counts:
        inside = {k: v.clip(edges[0], edges[-1]) for k, v in values.items()}
        return {k: np.histogram(v, edges)[0] for k, v in inside.items()}

    present = set(painted) | set(predicted)
    return Intensities(
        tuple(each for each in classes if each.id in present),
        edges,
        counted(painted),
        counted(predicted),
        channel,
        note=note,
    )


def bin_edges(values: NDArray[Any], most: int) -> NDArray[np.float64]:
    """Edges of at most `most` bins over all but the outermost values.

    Bins of whole numbers hold equally many of them: others would look like a comb.
    """
    low, high = (float(v) for v in np.percentile(values, TAILS))
    if values.dtype.kind in "biu":
        low, high = np.floor(low), np.ceil(high)
        width = max(1, int(-(-(high - low + 1) // most)))
        count = int(-(-(high - low + 1) // width))
        return np.asarray(low - 0.5 + width * np.arange(count + 1.0))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, most + 1)


@PLOTS.register("intensities")
def intensities(data: Intensities, style: PlotStyle) -> Figure:
    """Grey values by class.

    A row for each class: painted voxels as an area in its colour, predicted ones as a
    line. Classes whose areas lie apart are told by their grey value alone.
    """
    rows = len(data.classes)
    figure = new_figure(style, 0.7 + ROW * rows)
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    for axes, each in zip(panels, data.classes, strict=True):
        painted, predicted = data.painted.get(each.id), data.predicted.get(each.id)
        if painted is not None:
            _draw(axes, painted, data.edges, fill=True, color=each.color)
        if predicted is not None:
            _draw(axes, predicted, data.edges, fill=False, color=style.text)
        dress(axes, style, y="voxels (%)", title=each.name)
        axes.spines["left"].set(color=each.color, linewidth=3)
        only_left_and_bottom(axes)
        axes.set_ylim(bottom=0)
    panels[-1].set_xlabel(f"grey value{data.channel and f' of {data.channel}'}")
    add_legend(panels[0], style, loc="upper right")
    return figure


def _draw(
    axes: Axes,
    counts: NDArray[np.int64],
    edges: NDArray[np.float64],
    *,
    fill: bool,
    color: str,
) -> None:
    shares = 100 * counts / max(int(counts.sum()), 1)
    label = "painted" if fill else "predicted"
    axes.stairs(shares, edges, fill=fill, color=color, linewidth=1.2, label=label)


def _sort(
    values: NDArray[Any], ids: NDArray[Any], found: dict[int, list[NDArray[Any]]]
) -> int:
    """Part values by their class; return how many there were."""
    if values.dtype.kind == "f":
        known = np.isfinite(values)
        values, ids = values[known], ids[known]
    for number in np.unique(ids[ids > 0]).tolist():
        found[number].append(values[ids == number])
    return int((ids > 0).sum())


def _joined(found: Mapping[int, Iterable[NDArray[Any]]]) -> Values:
    return {number: np.concatenate(list(parts)) for number, parts in found.items()}
