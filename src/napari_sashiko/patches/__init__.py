"""Patches: cutting volumes into windows, folds and cells, and sewing them together."""

from napari_sashiko.patches._near import within_reach
from napari_sashiko.patches.cells import Cell, CellPlan, equal_cells, plan_cells
from napari_sashiko.patches.folds import (
    NOTHING_DEALT,
    Dealt,
    Folds,
    flat_places,
    fold_labelled,
)
from napari_sashiko.patches.sewing import border_weights, extract, norm, stitch
from napari_sashiko.patches.windows import Grid, labelled_windows, window_starts

__all__ = [
    "NOTHING_DEALT",
    "Cell",
    "CellPlan",
    "Dealt",
    "Folds",
    "Grid",
    "border_weights",
    "equal_cells",
    "extract",
    "flat_places",
    "fold_labelled",
    "labelled_windows",
    "norm",
    "plan_cells",
    "stitch",
    "window_starts",
    "within_reach",
]
