"""Random forests on multiscale filter features: instant, calibrated, local."""

from napari_sashiko.forests.filters import FilterBank
from napari_sashiko.forests.forest import Forest
from napari_sashiko.forests.rehearsal import rehearse

__all__ = ["FilterBank", "Forest", "rehearse"]
