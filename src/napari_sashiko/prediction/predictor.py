"""What prediction needs of a model: a patch in, mean and deviation out."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Triple = tuple[int, int, int]


class Predictor(Protocol):
    """An ensemble, or anything that stands in for one."""

    @property
    def card(self) -> Any:
        """What the model is: a model card."""

    @property
    def halo(self) -> Triple:
        """Voxels (z, y, x) of context that the members want on each side."""

    @property
    def align(self) -> Triple:
        """Window starts must be multiples of these."""

    def predict(
        self,
        patch: FloatArray,
        *,
        core: tuple[tuple[int, int], ...] | None = None,
        tick: Callable[[], None] = ...,
    ) -> tuple[FloatArray, FloatArray]:
        """Predict the mean and population standard deviation over the members.

        Parameters
        ----------
        patch : (C, Z, Y, X) float32
            Normalised voxels; the caller uses this memory again, so that what is
            returned must not be part of it.
        core : tuple of (start, stop), optional
            The voxels wanted, by axis; all of the patch when left out.
        tick : callable
            Called between members; it raises when the user stopped the work.

        Returns
        -------
        mean, std : (K, z, y, x) float32
            Channel k belongs to class k of the card.
        """
