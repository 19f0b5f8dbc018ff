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

FORMAT_VERSION = 1
SUFFIX = ".sashiko"
INDEX = "project.json"
ROOMS = ("labels", "models", "predictions", "instances", "measurements", "plots")


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
    classes : tuple of LabelClass
        Classes that were painted last.
    settings : dict
        Settings of the last run of each step, by its name.
    """

    format_version: int = FORMAT_VERSION
    created: str = ""
    image: str | None = None
    classes: tuple[LabelClass, ...] = ()
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)


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
                f"The project {folder} is damaged: {INDEX}: {error}."
            ) from error
        return cls(folder, _checked(folder, content))

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

    def measurements(self) -> list[Path]:
        """Measurements with error bars, the newest first."""
        return newest_first(self.folder / "measurements", "*/measurements.json")

    def note(
        self,
        *,
        image: Path | None = None,
        classes: Sequence[LabelClass] = (),
        **settings: BaseModel,
    ) -> None:
        """Remember image, classes and settings of a step; written at once, atomically.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        new = {name: value.model_dump(mode="json") for name, value in settings.items()}
        changes: dict[str, Any] = {"settings": self.record.settings | new}
        if image is not None:
            changes["image"] = _relative(Path(image), self.folder)
        if classes:
            changes["classes"] = tuple(classes)
        self.record = self.record.model_copy(update=changes)
        self._save()

    def _save(self) -> None:
        write_atomically(self.folder / INDEX, self.record.model_dump_json(indent=1))


def note_run(
    out: Path,
    step: str,
    settings: BaseModel,
    *,
    image: Path | None = None,
    classes: Sequence[LabelClass] = (),
) -> None:
    """Remember a run in the project that its output lies in, if it lies in one."""
    folder = out.absolute().parents[1]
    if folder.suffix != SUFFIX:
        return
    there = (folder / INDEX).exists()
    project = Project.open(folder) if there else Project.create(folder)
    project.note(image=image, classes=classes, **{step: settings})


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def newest_first(folder: Path, pattern: str) -> list[Path]:
    """Folders whose index file matches, the most recently written first."""
    found = [(path.stat().st_mtime_ns, path.parent) for path in folder.glob(pattern)]
    return [path for _, path in sorted(found, reverse=True)]


def _checked(folder: Path, content: Any) -> ProjectRecord:
    version = content.get("format_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise OutputError(
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
            f"The project {folder} is damaged: {place} in {INDEX}: {first['msg']}."
        ) from error


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), folder)).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}.",
        "Free some space or choose another place.",
    )
