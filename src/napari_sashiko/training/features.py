"""Filter features at painted voxels, kept while paint goes on changing."""

from collections.abc import Iterator

import numpy as np

from napari_sashiko.forests import FilterBank
from napari_sashiko.labels import LabelledVoxels
from napari_sashiko.patches import flat_places
from napari_sashiko.runners import Event, Tick, torch_threads
from napari_sashiko.training.choices import Choices
from napari_sashiko.training.held_out import features_at
from napari_sashiko.volumes import Normalisation, Volume


def filter_bank(choices: Choices, *, slants: bool) -> FilterBank:
    """The filters of a forest that looks at a volume as was chosen."""
    return FilterBank(dims=choices.filter_dims, spacing=choices.spacing, slants=slants)


class PaintFeatures:
    """Features of labelled voxels; only those of new paint are computed.

    Parameters
    ----------
    volume : Volume
        The image.
    normalisation : Normalisation
        Applied to what is read.
    bank : FilterBank
        The forest's filters.

    Attributes
    ----------
    values : numpy.ndarray
        ``(N, F)`` float32, in the order of the labelled voxels last seen.
    """

    def __init__(
        self, volume: Volume, normalisation: Normalisation, bank: FilterBank
    ) -> None:
        self.volume = volume
        self.normalisation = normalisation
        self.bank = bank
        self.values = np.zeros((0, 0), np.float32)
        self._places = np.zeros(0, np.int64)

    def update(self, labelled: LabelledVoxels) -> Iterator[Event]:
        """Bring `values` up to date; closing leaves them as they were."""
        places = flat_places(labelled)
        old = np.isin(places, self._places, assume_unique=True)
        fresh = LabelledVoxels(
            labelled.coords[~old], labelled.values[~old], labelled.shape
        )
        parts = []
        with torch_threads(1):
            for rows, part in features_at(
                self.volume, self.normalisation, fresh, self.bank
            ):
                parts.append((np.flatnonzero(~old)[rows], part))
                yield Tick()
        width = parts[0][1].shape[1] if parts else self.values.shape[1]
        values = np.zeros((len(labelled), width), np.float32)
        if old.any():
            values[old] = self.values[np.searchsorted(self._places, places[old])]
        for rows, part in parts:
            values[rows] = part
        self.values, self._places = values, places
