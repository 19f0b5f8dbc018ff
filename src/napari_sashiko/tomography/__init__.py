"""Sinograms: how they lie in a volume, at which angles, and their back-projection."""

from napari_sashiko.tomography.angles import check_angles, even_angles
from napari_sashiko.tomography.back_projection import (
    FILTERS,
    FilterName,
    filtered_back_projection,
)
from napari_sashiko.tomography.sinograms import Order, Sinograms

__all__ = [
    "FILTERS",
    "FilterName",
    "Order",
    "Sinograms",
    "check_angles",
    "even_angles",
    "filtered_back_projection",
]
