"""The project folder ``NAME.sashiko``: everything that belongs to one image."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, ValidationError

from napari_sashiko.config import Settings
from napari_sashiko.errors import OutputError
from napari_sashiko.labels import LabelClass
from napari_sashiko.volumes import keep_copy, relative, write_file

FORMAT_VERSION = 2  # 1 knew neither what the image was like nor the last results
SUFFIX = ".sashiko"
INDEX = "project.json"
MEND = "Restore it in napari, or with: sashiko mend."
ROOMS = (
    "labels",
    "models",
    "predictions",
    "sets",
    "instances",
    "measurements",
    "plots",
    "restorers",
    "restored",
    "explorers",
    "explored",
    "reconstructors",
    "reconstructed",
    "pictures",
)


class NewerProjectError(OutputError):
    """A project of a newer version: whole, but not for this program."""


class ImageFacts(Settings):
    """What the image of a project was like when it was worked on.

    Parameters
    ----------
    digest : str
        Hash of some of its voxels, whatever their size.
    name : str
        For people.
    shape : (int, int, int)
        (Z, Y, X).
    voxel_size : (float, float, float)
        (z, y, x) in `unit`.
    unit : str
        ``"pixel"`` when unknown.
    axes : str
        What its axes were taken for, a letter of ``tczyx`` each; empty when unknown.
    """

    digest: str
    name: str
    shape: tuple[int, int, int]
    voxel_size: tuple[float, float, float]
    unit: str
    axes: str = ""


class ProjectRecord(Settings):
    """What ``project.json`` holds.

    Parameters
    ----------
    format_version : int
        Version of the folder's layout.
    created : str
        ISO 8601 with time zone.
    image : str or None
        Path of the image, relative to the project folder.
    facts : ImageFacts or None
        What that image was like; None where nobody has said it.
    classes : tuple of LabelClass
        Classes that were painted last.
    settings : dict
        Settings of the last run of each step, by its name.
    last : dict
        What the last run of each step wrote, by its name, relative to the folder.
    """

    format_version: int = FORMAT_VERSION
    created: str = ""
    image: str | None = None
    facts: ImageFacts | None = None
    classes: tuple[LabelClass, ...] = ()
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    last: dict[str, str] = Field(default_factory=dict)


class Project:
    """A project folder; everything in it is found by relative paths.

    Parameters
    ----------
    folder : Path
        ``NAME.sashiko``.
    record : ProjectRecord
        What its index says.
    """

    def __init__(self, folder: Path, record: ProjectRecord) -> None:
        self.folder = folder
        self.record = record

    @classmethod
    def create(cls, folder: Path | str, image: Path | None = None) -> Self:
        """Make a project folder with nothing in it.

        Raises
        ------
        OutputError
            If there is a project already, or the folder cannot be written.
        """
        folder = Path(folder).absolute()
        if (folder / INDEX).exists():
            raise OutputError(f"There is a project in {folder}.", "Open it instead.")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        project = cls(folder, ProjectRecord(created=now))
        project.note(image=image)
        return project

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """Open a project folder.

        Raises
        ------
        OutputError
            If it is none, is damaged, or comes from a newer version.
        """
        folder = Path(folder).absolute()
        try:
            content = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise OutputError(
                f"{folder} is not a project: there is no {INDEX} in it.",
                f"Choose a folder that ends in {SUFFIX}.",
            ) from None
        except (OSError, ValueError) as error:
            raise OutputError(
                f"The project {folder} is damaged: {INDEX}: {error}.", MEND
            ) from error
        return cls(folder, _checked(folder, content))

    @classmethod
    def rescue(cls, folder: Path | str) -> tuple[Self, str]:
        """Open a project folder of which the index may be damaged or missing.

        The damaged index is kept beside a new one, as ``project.json.damaged``.

        Returns
        -------
        project : Project
        words : str
            What was damaged; empty if nothing was.

        Raises
        ------
        OutputError
            If it comes from a newer version, is no project at all, or cannot be
            written.
        """
        folder = Path(folder).absolute()
        try:
            return cls.open(folder), ""
        except NewerProjectError:
            raise
        except OutputError as error:
            if not any((folder / room).is_dir() for room in ROOMS):
                raise
            problem = error
        path = folder / INDEX
        if not path.exists():
            return cls._renewed(folder), ""  # nothing was noted yet
        try:
            kept = keep_copy(path).name
            path.unlink()
        except OSError as error:
            raise _unwritable(path, error) from problem
        words = (
            f"{problem.what} It is kept as {kept}; labels, models and results are "
            "there, the settings of the last runs are lost."
        )
        return cls._renewed(folder), words

    @classmethod
    def _renewed(cls, folder: Path) -> Self:
        beside = folder.with_suffix("")  # where the dock puts the project of a file
        return cls.create(folder, beside if beside.exists() else None)

    @property
    def image(self) -> Path | None:
        """Where the image lies, wherever the project was moved with it."""
        if self.record.image is None:
            return None
        return Path(os.path.normpath(self.folder / self.record.image))

    def place(self, room: str) -> Path:
        """Subfolder such as ``"models"``; made when it is missing.

        Raises
        ------
        OutputError
            If it cannot be made.
        """
        folder = self.folder / room
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error
        return folder

    def models(self) -> list[Path]:
        """Model folders, the newest first."""
        return newest_first(self.folder / "models", "*/model.json")

    def predictions(self) -> list[Path]:
        """Predictions, the newest first."""
        return newest_first(self.folder / "predictions", "*.zarr/zarr.json")

    def instances(self) -> list[Path]:
        """Instances, the newest first."""
        return newest_first(self.folder / "instances", "*.zarr/zarr.json")

    def restorers(self) -> list[Path]:
        """Models that restore images, the newest first."""
        return newest_first(self.folder / "restorers", "*/model.json")

    def restored(self) -> list[Path]:
        """Restored images, the newest first."""
        return newest_first(self.folder / "restored", "*.zarr/zarr.json")

    def measurements(self) -> list[Path]:
        """Measurements with error bars, the newest first."""
        return newest_first(self.folder / "measurements", "*/measurements.json")

    def latest(self, step: str, found: Sequence[Path]) -> list[Path]:
        """Results of a step, that of the last run first.

        Parameters
        ----------
        step : str
            ``"train"``, ``"predict"`` or ``"instances"``.
        found : sequence of Path
            Those that there are.
        """
        last = self.record.last.get(step)
        first = None if last is None else Path(os.path.normpath(self.folder / last))
        return sorted(found, key=lambda path: path != first)

    def note(
        self,
        *,
        image: Path | None = None,
        facts: ImageFacts | None = None,
        classes: Sequence[LabelClass] = (),
        last: dict[str, Path] | None = None,
        **settings: BaseModel,
    ) -> None:
        """Remember image, classes, settings and results; written at once, atomically.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        # A recipe of these settings must not delete what is there.
        new = {
            name: value.model_dump(mode="json", exclude={"overwrite"})
            for name, value in settings.items()
        }
        written = {
            step: relative(path, self.folder) for step, path in (last or {}).items()
        }
        changes: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "settings": self.record.settings | new,
            "last": self.record.last | written,
        }
        if image is not None:
            changes["image"] = relative(Path(image), self.folder)
        if facts is not None:
            changes["facts"] = facts
        if classes:
            changes["classes"] = tuple(classes)
        record = self.record.model_copy(update=changes)
        if record != self.record or not (self.folder / INDEX).exists():
            self.record = record
            self._save()

    def _save(self) -> None:
        write_atomically(self.folder / INDEX, self.record.model_dump_json(indent=1))


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        write_file(path, text)
    except OSError as error:
        raise _unwritable(path, error) from error


def newest_first(folder: Path, pattern: str) -> list[Path]:
    """Folders whose index file matches, the most recently written first."""
    found = [(path.stat().st_mtime_ns, path.parent) for path in folder.glob(pattern)]
    return [path for _, path in sorted(found, reverse=True)]


def _checked(folder: Path, content: Any) -> ProjectRecord:
    version = content.get("format_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise NewerProjectError(
            f"The project {folder} has format {version}, this version of "
            f"napari-sashiko reads up to {FORMAT_VERSION}.",
            "Update napari-sashiko.",
        )
    try:
        return ProjectRecord.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its content"
        raise OutputError(
            f"The project {folder} is damaged: {place} in {INDEX}: {first['msg']}.",
            MEND,
        ) from error


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}.",
        "Free some space or choose another place.",
    )
