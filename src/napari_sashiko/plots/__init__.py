"""Figures from tables, records and arrays, and the page that holds them."""

from napari_sashiko.plots._figure import (
    PLOTS,
    Plot,
    PlotData,
    data_kind,
    plot_title,
    render,
)
from napari_sashiko.plots._page import (
    Missing,
    Part,
    Picture,
    Section,
    Swatch,
    Table,
    is_own_page,
    write_page,
)
from napari_sashiko.plots._sampling import random_regions
from napari_sashiko.plots._style import DARK, LIGHT, PlotStyle
from napari_sashiko.plots._units import shown_unit
from napari_sashiko.plots._wiring import Link, NetworkGraph
from napari_sashiko.plots.confusion import Confusion, confusion_of
from napari_sashiko.plots.curves import MemberCurve, TrainingCurves, curves_of
from napari_sashiko.plots.directions import Directions, measure_directions
from napari_sashiko.plots.graph import Graphs, graphs_of
from napari_sashiko.plots.intensities import (
    Intensities,
    count_intensities,
    read_painted,
    read_predicted,
)
from napari_sashiko.plots.lengths import Lengths, MemberLengths, read_lengths
from napari_sashiko.plots.reliability import (
    Reliability,
    ReliabilityCurve,
    reliability_curve,
)
from napari_sashiko.plots.settings import PlotSettings
from napari_sashiko.plots.slices import Slices, shown_part

__all__ = [
    "DARK",
    "LIGHT",
    "PLOTS",
    "Confusion",
    "Directions",
    "Graphs",
    "Intensities",
    "Lengths",
    "Link",
    "MemberCurve",
    "MemberLengths",
    "Missing",
    "NetworkGraph",
    "Part",
    "Picture",
    "Plot",
    "PlotData",
    "PlotSettings",
    "PlotStyle",
    "Reliability",
    "ReliabilityCurve",
    "Section",
    "Slices",
    "Swatch",
    "Table",
    "TrainingCurves",
    "confusion_of",
    "count_intensities",
    "curves_of",
    "data_kind",
    "graphs_of",
    "is_own_page",
    "measure_directions",
    "plot_title",
    "random_regions",
    "read_lengths",
    "read_painted",
    "read_predicted",
    "reliability_curve",
    "render",
    "shown_part",
    "shown_unit",
    "write_page",
]
