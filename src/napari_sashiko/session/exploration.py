"""Learning to explore an image and looking at its patches, as one job."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from napari_sashiko.runners import Event
from napari_sashiko.session.image_task import ImageTask


@dataclass(frozen=True)
class Exploration(ImageTask):
    """What is explored, and how; its model may be that of another image.

    Parameters
    ----------
    looking : Any
        `EmbedSettings`.
    """

    models: ClassVar[str] = "explorers"
    results: ClassVar[str] = "explored"

    looking: Any = None

    def learn(self, pipeline: Any, out: Path) -> Iterator[Event]:
        """Learn to keep a few numbers of a patch, if these can be shown then."""
        pipeline.check_method(self.looking.method)
        return iter(pipeline.explore_steps(self.volume, self.settings, out))

    def make(self, pipeline: Any, model: Path | None, place: Path) -> Iterator[Event]:
        """Look at the patches: `Progress`, `EmbedDone`."""
        out = place / f"{Path(str(model)).stem}.csv"
        return iter(pipeline.embed_steps(model, self.volume, out, self.looking))
