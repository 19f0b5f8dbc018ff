"""One slice: the image, its paint, what was made of it, and where that is unsure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_sashiko.errors import PlotError
from napari_sashiko.labels import LabelClass
from napari_sashiko.plots._figure import (
    PLOTS,
    PlotData,
    add_bar,
    dress,
    font,
    new_figure,
)
from napari_sashiko.plots._style import PlotStyle
from napari_sashiko.plots._units import shown_unit

EDGE = 768  # voxels of the part of a slice that is shown
TAILS = (0.5, 99.5)  # percentiles of the grey scale
SHOWN_STD = 0.25
OPACITY = 0.5


@dataclass(frozen=True)
class Slices(PlotData):
    """Pictures of one part of one slice, all ``(Y, X)`` of one shape.

    Parameters
    ----------
    image : numpy.ndarray or None
        Grey values, or ``(Y, X, 3)`` colours in [0, 1].
    paint, classes : numpy.ndarray or None
        Class ids; 0 is not painted, or not predicted.
    std : numpy.ndarray or None
        Highest standard deviation of a class.
    known : tuple of LabelClass
        Names and colours.
    corner, voxel_size : (float, float)
        First voxel (y, x) in voxels, and size (y, x) of one in `unit`.
    unit : str
        ``"pixel"`` when unknown.
    """

    image: NDArray[Any] | None
    paint: NDArray[np.uint8] | None
    classes: NDArray[np.uint8] | None
    std: NDArray[np.float32] | None
    known: tuple[LabelClass, ...]
    corner: tuple[int, int]
    voxel_size: tuple[float, float]
    unit: str


def shown_part(
    shape: Sequence[int], center: Sequence[float] | None = None
) -> tuple[slice, slice]:
    """Part (y, x) of a plane that is shown: a bounded window around `center`."""
    sides = []
    for axis, size in enumerate(shape[-2:]):
        middle = size / 2 if center is None else center[axis]
        edge = min(EDGE, size)
        start = int(min(max(round(middle - edge / 2), 0), size - edge))
        sides.append(slice(start, start + edge))
    return sides[0], sides[1]


@PLOTS.register("slices")
def slices(data: Slices, style: PlotStyle) -> Figure:
    """One slice.

    The image, paint and classes on it in their colours, and the standard deviation of
    the members: bright where they disagree.
    """
    panels = [
        (title, draw)
        for title, there, draw in (
            ("image", data.image is not None and data.paint is None, _image),
            ("paint", data.paint is not None, _paint),
            ("classes", data.classes is not None, _classes),
            ("std", data.std is not None, _std),
        )
        if there
    ]
    if not panels:
        raise PlotError("There is neither an image nor a prediction to show.")
    figure = new_figure(style, 1.0)
    columns = 1 if style.narrow or len(panels) == 1 else 2
    rows = -(-len(panels) // columns)
    extent = _extent(data)
    aspect = abs(extent[2] - extent[3]) / (extent[1] - extent[0])
    each = style.width / columns * min(max(aspect, 0.25), 1.6)
    figure.set_figheight(0.6 + rows * (0.45 + 0.85 * each))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    unit = shown_unit(data.unit)
    for axes, (title, draw) in zip(grid, panels, strict=False):
        dress(axes, style, x=f"x ({unit})", y=f"y ({unit})", title=title)
        draw(figure, axes, data, style)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    _add_names(figure, data, style)
    return figure


def _image(_figure: Figure, axes: Axes, data: Slices, _style: PlotStyle) -> None:
    if data.image is not None:
        axes.imshow(grey(data.image), extent=_extent(data), interpolation="nearest")


def _paint(figure: Figure, axes: Axes, data: Slices, style: PlotStyle) -> None:
    _image(figure, axes, data, style)
    if data.paint is not None:
        _overlay(axes, data, data.paint, 1.0)


def _classes(figure: Figure, axes: Axes, data: Slices, style: PlotStyle) -> None:
    _image(figure, axes, data, style)
    if data.classes is not None:
        _overlay(axes, data, data.classes, 1.0 if data.image is None else OPACITY)


def _std(figure: Figure, axes: Axes, data: Slices, style: PlotStyle) -> None:
    drawn = axes.imshow(
        np.asarray(data.std),
        extent=_extent(data),
        cmap="magma",
        vmin=0,
        vmax=SHOWN_STD,
        interpolation="nearest",
    )
    add_bar(figure, drawn, axes, style, "highest std of a class")


def _overlay(axes: Axes, data: Slices, ids: NDArray[np.uint8], opacity: float) -> None:
    table = np.zeros((256, 4))
    for each in data.known:
        table[each.id] = to_rgba(each.color, opacity)
    axes.imshow(table[ids], extent=_extent(data), interpolation="nearest")


def grey(image: NDArray[Any]) -> NDArray[np.float64]:
    """Colours ``(Y, X, 3)`` in [0, 1] of grey values; what is no number is black."""
    if image.ndim == 3:
        return np.asarray(image, float).clip(0, 1)
    values = np.asarray(image, float)
    finite = np.isfinite(values)
    low, high = np.percentile(values[finite], TAILS) if finite.any() else (0.0, 1.0)
    values = np.where(finite, values, low)
    shares = (values - low) / ((high - low) or 1.0)
    return np.repeat(shares.clip(0, 1)[..., np.newaxis], 3, axis=2)


def _extent(data: Slices) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of the pictures, in units."""
    pictures = (data.image, data.paint, data.classes, data.std)
    height, width = next(p for p in pictures if p is not None).shape[:2]
    y, x = data.corner
    down, right = data.voxel_size
    return x * right, (x + width) * right, (y + height) * down, y * down


def _add_names(figure: Figure, data: Slices, style: PlotStyle) -> None:
    if data.paint is None and data.classes is None:
        return
    ids = [p for p in (data.paint, data.classes) if p is not None]
    present = set(np.concatenate([np.unique(part) for part in ids]).tolist())
    handles = [
        Patch(facecolor=each.color, edgecolor=style.faint, label=each.name)
        for each in data.known
        if each.id in present
    ]
    if handles:
        figure.legend(
            handles=handles,
            prop=font(),
            labelcolor=style.text,
            frameon=False,
            loc="outside lower center",
            ncols=min(len(handles), 3 if style.narrow else 6),
        )
