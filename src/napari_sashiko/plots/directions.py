"""Into which directions the objects of a class reach."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_sashiko.errors import PlotError
from napari_sashiko.plots._autocorrelation import (
    Read,
    autocorrelation,
    choose_shell,
    directions_of,
    unit_vectors,
)
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
from napari_sashiko.plots._units import shown_number, shown_unit
from napari_sashiko.plots.settings import PlotSettings
from napari_sashiko.runners import Event

AXES = {"+x": (0, 0), "+y": (90, 0), "−y": (-90, 0), "+z": (0, 84), "−z": (0, -84)}


@dataclass(frozen=True)
class Directions(PlotData):
    """Autocorrelation of a class by direction, averaged over a shell of lags.

    Parameters
    ----------
    azimuth, elevation : numpy.ndarray
        ``(A + 1,)`` and ``(E + 1,)`` edges in degrees, from +x towards +y and from the
        x-y plane towards +z.
    values : numpy.ndarray
        ``(E, A)``, 1 at the origin and 0 where voxels know nothing of each other; NaN
        where the volume is too thin.
    inner, outer : float
        Radii of the shell, in `unit`.
    unit : str
        ``"pixel"`` when unknown.
    class_name : str
        Of the class.
    """

    azimuth: NDArray[np.float64]
    elevation: NDArray[np.float64]
    values: NDArray[np.float64]
    inner: float
    outer: float
    unit: str
    class_name: str

    @property
    def peak(self) -> tuple[float, float, float]:
        """Unit vector (z, y, x) of the highest value; z is not negative."""
        if not np.isfinite(self.values).any():
            raise PlotError("No direction is known.")
        row, column = np.unravel_index(np.nanargmax(self.values), self.values.shape)
        middles = [(e[:-1] + e[1:]) / 2 for e in (self.elevation, self.azimuth)]
        z, y, x = (float(v) for v in unit_vectors(middles[0][row], middles[1][column]))
        sign = -1.0 if z < 0 else 1.0
        return sign * z, sign * y, sign * x


def measure_directions(
    read: Read,
    shape: Sequence[int],
    voxel_size: Sequence[float],
    settings: PlotSettings,
    *,
    unit: str,
    class_name: str,
    what: str = "",
) -> Generator[Event, None, Directions]:
    """Measure the directional autocorrelation of a mask, on blocks at random places.

    Parameters
    ----------
    read : callable
        The mask in a region, (z, y, x) bool; None where it is not known.
    shape : sequence of int
        Volume (z, y, x).
    voxel_size : sequence of float
        (z, y, x) in `unit`.
    settings : PlotSettings
        Shell, blocks, seed.
    unit, class_name : str
        For the figure.
    what : str
        What the mask is of, for the caption.

    Raises
    ------
    PlotError
        If the volume is too thin, or the class takes none or all of the blocks.
    """
    shell = choose_shell(shape, voxel_size, settings)
    values, blocks = yield from autocorrelation(read, shape, shell, settings)
    azimuth, elevation, means = directions_of(values, shell, voxel_size)
    size = " x ".join(map(str, shell.block))
    note = f"{what} {blocks} {'block' if blocks == 1 else 'blocks'} of {size} voxels"
    return Directions(
        azimuth,
        elevation,
        means,
        shell.inner,
        shell.outer,
        unit,
        class_name,
        note=f"{note}, seed {settings.seed}.".strip(),
    )


@PLOTS.register("directions")
def directions(data: Directions, style: PlotStyle) -> Figure:
    """Directional autocorrelation.

    Equal-area Hammer-Aitoff map of all directions. Long objects make it bright along
    the directions that they lie in, at both ends of each. The middle is +x, the upper
    end +z.
    """
    if not np.isfinite(data.values).any():
        raise PlotError("No direction is known.")
    figure = new_figure(style, style.width * 0.6)
    axes = figure.add_subplot(projection="hammer")
    colours = colormaps["viridis"].with_extremes(bad=style.faint)
    drawn = axes.pcolormesh(
        np.radians(data.azimuth),
        np.radians(data.elevation),
        np.ma.masked_invalid(data.values),
        cmap=colours,
        rasterized=True,
    )
    unit = shown_unit(data.unit)
    radii = " to ".join(shown_number(round(r, 2)) for r in (data.inner, data.outer))
    dress(
        axes,
        style,
        x="azimuth from +x towards +y, -180° to 180°",
        y="elevation towards +z",
        title=f"{data.class_name}, {radii} {unit} from the origin",
    )
    axes.set_xticks(np.radians((-120, -60, 0, 60, 120)), labels=[])
    axes.set_yticks(np.radians((-60, -30, 0, 30, 60)))
    axes.grid(visible=True, color="white", linewidth=0.4, alpha=0.6)
    _mark_axes(axes)
    add_bar(figure, drawn, axes, style, "autocorrelation (1 at the origin)")
    return figure


def _mark_axes(axes: Axes) -> None:
    """Name the directions of the volume's axes, on any colour of the map."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 - of this alone

    for name, (azimuth, elevation) in AXES.items():
        axes.text(
            np.radians(azimuth),
            np.radians(elevation),
            name,
            ha="center",
            va="center",
            fontsize=WORDS,
            fontfamily=FONT,
            color="white",
            path_effects=[withStroke(linewidth=2, foreground="black")],
        )
