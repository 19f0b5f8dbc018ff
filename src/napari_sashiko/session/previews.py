"""The slice in view, segmented: only the newest request counts."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_sashiko.metrics import doubt, members_differ
from napari_sashiko.runners import Event, Tick
from napari_sashiko.volumes import Region, Volume

if TYPE_CHECKING:
    from napari_sashiko.session.session import Session

KIND = "preview"
SECONDS_BETWEEN = 0.4


@dataclass(frozen=True)
class PreviewReady:
    """A segmented region.

    Attributes
    ----------
    region : tuple of slice
        Where it belongs, in voxels.
    classes : array of uint8, (z, y, x)
        Class ids 1..C.
    mean, std : array of float32, (C, z, y, x)
        Mean and standard deviation of the ensemble's probabilities.
    model : Path
        The model folder that it comes from.
    voices : tuple of str
        ``"forest"`` or ``"network"`` for each member that had a say in it.
    number : int
        That of the request: how new the model is, for whoever asked.
    what : str
        What the request said of the model, in words.
    """

    volume: Volume
    region: Region
    classes: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    model: Path
    voices: tuple[str, ...]
    number: int = 0
    what: str = ""

    @property
    def doubt(self) -> np.ndarray:
        """How unsure each voxel is, (z, y, x) float32."""
        return doubt(self.mean, self.std)

    @property
    def members_differ(self) -> bool:
        """Whether `doubt` is the deviation over members, which do differ."""
        return members_differ(self.std)


@dataclass(frozen=True)
class _Request:
    generation: int
    model: Path
    number: int
    what: str
    volume: Volume
    region: Region


class PreviewDesk:
    """Keep the newest request, start work for it, and drop stale results.

    Parameters
    ----------
    session : Session
        Knows the models, and computes in the background.
    """

    changed = Signal(PreviewReady)

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._generation = 0
        self._place: tuple[Volume, Region] | None = None
        self._pending: _Request | None = None
        self._done: tuple[int, PreviewReady] | None = None
        self._started_at = 0.0

    def ask(
        self,
        region: Region,
        model: Path | None = None,
        *,
        number: int = 0,
        what: str = "",
    ) -> None:
        """Ask for a region; requests for other regions become stale.

        A newer model for the same region keeps the generation: a slow preview is
        shown before its successor starts, else fast epochs would starve it.

        Parameters
        ----------
        region : tuple of slice
            In voxels of the volume on the desk.
        model : Path, optional
            The newest one if left out.
        number : int, optional
            How often it was written, as far as is known now: the answer carries it,
            and comes from what was written then or later.
        what : str, optional
            What was written last, in words; carried, too.

        Raises
        ------
        ModelError
            If there is no model yet.
        """
        chosen = self._session.need_model(model)
        volume = self._session.need_volume()
        if self._place != (volume, region):
            self._place = (volume, region)
            self._generation += 1
        self._pending = _Request(self._generation, chosen, number, what, volume, region)

    def forget(self) -> None:
        """Make everything that was asked for stale."""
        self._generation += 1
        self._place = None
        self._pending = None
        self._done = None

    def pump(self) -> None:
        """Hand over what is finished, and start the newest request.

        That is done every 0.4 s at most, and one at a time.
        """
        ready = self._take()
        if ready is not None:
            self.changed.emit(ready)
        request, now = self._pending, time.monotonic()
        if request is None or now - self._started_at < SECONDS_BETWEEN:
            return
        if self._session.is_running(KIND):
            return
        self._pending = None
        self._started_at = now
        name = f"Preview of {self._session.name}"
        self._session.start(KIND, lambda: self._work(request), name=name)

    def _take(self) -> PreviewReady | None:
        """Take out the finished result, unless something newer was asked for."""
        done, self._done = self._done, None
        if done is None or done[0] != self._generation:
            return None
        return done[1]

    def _work(self, request: _Request) -> Iterator[Event]:
        yield Tick()
        found: Any = self._session.engine.preview(
            request.model, request.volume, request.region
        )
        self._done = (
            request.generation,
            PreviewReady(
                request.volume,
                request.region,
                found.classes,
                found.mean,
                found.std,
                request.model,
                tuple(found.voices),
                request.number,
                request.what,
            ),
        )
