"""What each figure is drawn from, and drawing it."""

import logging
from collections.abc import Callable, Generator
from typing import Any

from napari_sashiko.errors import PlotError, SashikoError
from napari_sashiko.pipeline.evidence import Evidence
from napari_sashiko.pipeline.from_records import (
    confusion_from,
    curves_from,
    graphs_from,
    lengths_from,
    reliability_from,
)
from napari_sashiko.pipeline.from_voxels import (
    directions_from,
    intensities_from,
    slices_from,
)
from napari_sashiko.plots import (
    PLOTS,
    Confusion,
    Directions,
    Graphs,
    Intensities,
    Lengths,
    PlotData,
    PlotSettings,
    PlotStyle,
    Reliability,
    Slices,
    TrainingCurves,
    data_kind,
    plot_title,
    render,
)
from napari_sashiko.runners import Event, Tick
from napari_sashiko.volumes.disk import DAMAGED

LOG = logging.getLogger(__name__)

Collect = Callable[[Evidence, PlotSettings], Generator[Event, None, Any]]

COLLECT: dict[type[PlotData], Collect] = {
    Confusion: confusion_from,
    Directions: directions_from,
    Graphs: graphs_from,
    Intensities: intensities_from,
    Lengths: lengths_from,
    Reliability: reliability_from,
    Slices: slices_from,
    TrainingCurves: curves_from,
}


def figure_titles() -> dict[str, str]:
    """Names of all figures, with what people call them."""
    return {name: plot_title(name) for name in PLOTS}


def figure_data(
    name: str, evidence: Evidence, settings: PlotSettings
) -> Generator[Event, None, PlotData]:
    """Collect what a figure is drawn from.

    Parameters
    ----------
    name : str
        Of a figure in `PLOTS`.
    evidence : Evidence
        Where to look.
    settings : PlotSettings
        How much is looked at.

    Yields
    ------
    Event
        `Progress`, `Tick`: here it may be stopped.

    Returns
    -------
    PlotData

    Raises
    ------
    SashikoError
        A sentence on what is missing or damaged.
    """
    collect = COLLECT.get(data_kind(name))
    if collect is None:
        raise PlotError(f"It is not known where the data of figure {name!r} come from.")
    yield Tick()
    try:
        found: PlotData = yield from collect(evidence, settings)
    except SashikoError:
        raise
    except DAMAGED as error:
        # One damaged part must not take the other figures with it.
        LOG.debug("figure %s", name, exc_info=True)
        reason = str(error).rstrip(".") or type(error).__name__
        raise PlotError(f"The figure {name!r} cannot be drawn: {reason}.") from error
    return found


def draw_figure(
    name: str, data: PlotData, style: PlotStyle, kind: str = "png"
) -> bytes:
    """Draw a figure as PNG or PDF.

    Parameters
    ----------
    name : str
        Of a figure in `PLOTS`.
    data : PlotData
        From `figure_data`.
    style : PlotStyle
        Colours and size.
    kind : str
        ``"png"`` or ``"pdf"``.

    Raises
    ------
    PlotError
        If there is nothing in the data to draw.
    """
    return render(PLOTS[name](data, style), kind)
