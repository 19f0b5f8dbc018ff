"""One member of a model as a predictor of its own."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.errors import ModelError

if TYPE_CHECKING:  # loads torch
    from napari_sashiko.checkpoints import Ensemble

Floats = npt.NDArray[np.float32]
Triple = tuple[int, int, int]


class OneMember:
    """What a single member says, with the correction and temperature of the model.

    Halo and alignment are those of all members: with equal windows, the weighted mean
    of the members' maps is the map of the ensemble.

    Parameters
    ----------
    ensemble : Ensemble
        All members.
    place : int
        Which of them.
    opened : tuple of str
        Model folder, device and digest, to open it again in another process.
    """

    def __init__(
        self, ensemble: "Ensemble", place: int, opened: tuple[str, str, str]
    ) -> None:
        self.card = ensemble.card
        self.halo: Triple = ensemble.halo
        self.align: Triple = ensemble.align
        self._alone = ensemble.alone(place)
        self._place = place
        self._opened = opened

    def predict(
        self,
        patch: Floats,
        *,
        core: tuple[tuple[int, int], ...] | None = None,
        tick: Callable[[], None] = lambda: None,
    ) -> tuple[Floats, Floats]:
        """Predict a patch ``(C, Z, Y, X)``: ``(K, z, y, x)``, and a deviation of 0."""
        return self._alone.predict(patch, core=core, tick=tick)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as a path: other processes open the model themselves."""
        return _again, (self._place, self._opened)


def _again(place: int, opened: tuple[str, str, str]) -> OneMember:
    return OneMember(_ensemble(*opened), place, opened)


@lru_cache(maxsize=1)
def _ensemble(model: str, device: str, digest: str) -> "Ensemble":
    # Cached by value: a cluster unpickles the predictor for every task.
    from napari_sashiko.checkpoints import load_ensemble  # noqa: PLC0415 - loads torch
    from napari_sashiko.runners import choose_device  # noqa: PLC0415

    ensemble = load_ensemble(Path(model), choose_device(device))
    if ensemble.digest != digest:
        raise ModelError(
            f"The model {model} changed while it was at work.", "Start again."
        )
    return ensemble
