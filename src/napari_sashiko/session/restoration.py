"""Learning to restore an image and restoring it, as one job."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from napari_sashiko.runners import Event
from napari_sashiko.session.image_task import ImageTask, result_name
from napari_sashiko.session.unveiling import unveiled
from napari_sashiko.volumes import Volume


@dataclass(frozen=True)
class Restoration(ImageTask):
    """What is restored, and how.

    Parameters
    ----------
    clean : Volume or None
        The image as it should be.
    room : threading.Event
        Set when there is room for the result: the first block waits for it.
    """

    models: ClassVar[str] = "restorers"
    results: ClassVar[str] = "restored"

    clean: Volume | None = None
    room: threading.Event = field(default_factory=threading.Event)

    def learn(self, pipeline: Any, out: Path) -> Iterator[Event]:
        """Learn to make one image of the other."""
        return iter(
            pipeline.restore_steps(self.volume, self.settings, out, clean=self.clean)
        )

    def make(self, pipeline: Any, model: Path | None, place: Path) -> Iterator[Event]:
        """Make the image: `PredictionOpened`, `CellDone`, `PredictionDone`."""
        name, digest = Path(str(model)).stem, pipeline.model_digest(model)
        out = place / result_name(name, self.volume, digest)
        device = {} if self.model else {"device": self.settings.device}
        return unveiled(
            pipeline.predict_steps(
                model, self.volume, out, pipeline.PredictionSettings(**device)
            ),
            pipeline.open_restored,
            self.room,
        )
