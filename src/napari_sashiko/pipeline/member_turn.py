"""What one member of a model needs for its turn, and its files meanwhile."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.config import Settings
from napari_sashiko.errors import OutputError
from napari_sashiko.measurements import MemberNumbers
from napari_sashiko.pipeline.measure_settings import MeasureSettings
from napari_sashiko.pipeline.one_member import OneMember
from napari_sashiko.pipeline.project import write_atomically
from napari_sashiko.prediction import Plan, read_record
from napari_sashiko.volumes import Volume

VERSION = 1  # of what is reduced to numbers, and how


class Kept(Settings):
    """What a member gave, and what decided it."""

    digest: str
    numbers: MemberNumbers


@dataclass(frozen=True)
class Turn:
    """All that one member needs.

    Parameters
    ----------
    predictor : OneMember
        The member.
    place : int
        Which member of the model.
    kind : str
        What it is.
    weight : float
        Its share in the ensemble.
    digest : str
        Hash of the whole model.
    volume : Volume
        The image.
    image_digest : str
        Hash of its voxels.
    plan : Plan
        How the image is cut: the same for all members.
    settings : MeasureSettings
        Of the plan, with class ids for names and for what was left open.
    folder : Path
        Where maps and numbers lie meanwhile.
    """

    predictor: OneMember
    place: int
    kind: str
    weight: float
    digest: str
    volume: Volume
    image_digest: str
    plan: Plan
    settings: MeasureSettings
    folder: Path

    @property
    def class_id(self) -> int:
        """Class of the objects."""
        chosen: Any = self.settings.label_class
        return int(chosen)

    @property
    def map_digest(self) -> str:
        """Name of the member's map: another member, another type, another name."""
        return f"{self.digest}:{self.place}:{self.settings.dtype}"

    @property
    def numbers_digest(self) -> str:
        """Name everything that decides the numbers."""
        parts = [
            *(VERSION, self.map_digest, self.image_digest, self.plan.record()),
            self.settings.for_instances().record(),
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def path(self, end: str) -> Path:
        """One of this member's files in the folder."""
        return self.folder / f"member-{self.place:02d}{end}"

    def kept(self) -> MemberNumbers | None:
        """Read what an earlier run found out; None if it must be measured."""
        try:
            text = self.path(".json").read_text(encoding="utf-8")
            kept = Kept.model_validate_json(text)
        except (OSError, ValueError):  # pydantic's errors are such
            return None
        return kept.numbers if kept.digest == self.numbers_digest else None

    def keep(self, numbers: MemberNumbers) -> None:
        """Write down what the member gave."""
        kept = Kept(digest=self.numbers_digest, numbers=numbers)
        write_atomically(self.path(".json"), kept.model_dump_json(indent=1))

    def remove_other_map(self) -> None:
        """Remove a map of another model, image or plan, or one that is damaged."""
        path = self.path(".zarr")
        wanted = {
            "model_digest": self.map_digest,
            "input_digest": self.image_digest,
            "plan_digest": self.plan.digest(),
            "cell": list(self.plan.cells().chunk),
        }
        try:
            record: dict[str, Any] | None = read_record(path)
        except OutputError:
            record = {}
        if record is not None and any(record.get(k) != v for k, v in wanted.items()):
            shutil.rmtree(path)

    def clear(self) -> None:
        """Remove what the numbers were taken from."""
        for path in self._leftovers():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _leftovers(self) -> Iterator[Path]:
        yield self.path("-objects.zarr")
        yield from self.folder.glob(f".{self.path('-objects.zarr').name}.*")
        yield self.path(".csv")
        if not self.settings.keep_maps:
            yield self.path(".zarr")
            yield from self.folder.glob(f".{self.path('.zarr').name}.*")
