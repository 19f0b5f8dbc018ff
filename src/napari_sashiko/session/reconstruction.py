"""Learning to make slices of sinograms and reconstructing a volume, as one job."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from napari_sashiko.runners import Event
from napari_sashiko.session.image_task import ImageTask, result_name
from napari_sashiko.session.unveiling import unveiled
from napari_sashiko.volumes import Volume

HALF_TURN = 180.0
NO_MODEL = "back-projection"  # name of what is made without one


@dataclass(frozen=True)
class Reconstruction(ImageTask):
    """What is reconstructed, and how; without settings and model, by back-projection.

    Parameters
    ----------
    making : Any
        `ReconstructSettings`.
    slices : Volume or None
        The slice of each sinogram, to learn from.
    turn : float
        Degrees that the angles are spread evenly over.
    angles : Path or None
        File of other angles.
    room : threading.Event
        Set when there is room for the result: the first block waits for it.
    """

    models: ClassVar[str] = "reconstructors"
    results: ClassVar[str] = "reconstructed"

    making: Any = None
    slices: Volume | None = None
    turn: float = HALF_TURN
    angles: Path | None = None
    room: threading.Event = field(default_factory=threading.Event)

    def learn(self, pipeline: Any, out: Path) -> Iterator[Event]:
        """Learn to make slices of sinograms."""
        return iter(
            pipeline.train_reconstruct_steps(
                self.volume,
                self.slices,
                self.settings,
                out,
                angles=self.degrees(pipeline),
            )
        )

    def make(self, pipeline: Any, model: Path | None, place: Path) -> Iterator[Event]:
        """Make the volume: `PredictionOpened`, `CellDone`, `PredictionDone`."""
        degrees = self.degrees(pipeline)
        facts = self.making.model_dump(mode="json", exclude={"device", "overwrite"})
        name, digest = NO_MODEL, ""
        if model is not None:
            name, digest = model.stem, pipeline.model_digest(model)
        return unveiled(
            pipeline.reconstruct_steps(
                self.volume,
                place / result_name(name, self.volume, facts, degrees, digest),
                self.making,
                model=model,
                angles=degrees,
            ),
            pipeline.open_reconstructed,
            self.room,
        )

    def degrees(self, pipeline: Any) -> tuple[float, ...] | None:
        """Angle of each row of a sinogram; None spreads them over half a turn."""
        if self.angles is not None:
            return tuple(pipeline.read_angles(self.angles))
        if self.turn == HALF_TURN:
            return None
        rows = sinogram_shape(self.volume, self.making.order)[1]
        return tuple(self.turn * row / rows for row in range(rows))


def sinogram_shape(volume: Volume, order: str) -> tuple[int, int, int]:
    """How many slices, angles and detectors there are.

    Parameters
    ----------
    volume : Volume
        The stack.
    order : str
        ``"slices"`` for (slice, angle, detector), ``"projections"`` for
        (angle, slice, detector).
    """
    first, second, detectors = volume.shape
    if order == "projections":
        return second, first, detectors
    return first, second, detectors
