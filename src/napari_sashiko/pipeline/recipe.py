"""The recipe: all settings of a run in one file, to repeat it on other data."""

import json
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from napari_sashiko.config import Settings
from napari_sashiko.errors import SettingsError
from napari_sashiko.pipeline.project import INDEX, Project, write_atomically

FORMAT_VERSION = 1


class Recipe(Settings):
    """Settings by step; what is not named keeps its default.

    Parameters
    ----------
    format_version : int
        Version of the file's layout.
    train, restore, explore, embed, predict, instances, sets, measure : dict
        Fields of `TrainingSettings`, `RestoreSettings`, `ExploreSettings`,
        `EmbedSettings`, `PredictionSettings`, `InstanceSettings`, `SetSettings` and
        `MeasureSettings`; checked by these when the step starts.
    train_reconstruct, reconstruct, apply : dict
        Fields of `TrainReconstructSettings`, `ReconstructSettings` and `ApplySettings`.
    """

    format_version: int = FORMAT_VERSION
    train: dict[str, Any] = Field(default_factory=dict)
    restore: dict[str, Any] = Field(default_factory=dict)
    explore: dict[str, Any] = Field(default_factory=dict)
    embed: dict[str, Any] = Field(default_factory=dict)
    predict: dict[str, Any] = Field(default_factory=dict)
    instances: dict[str, Any] = Field(default_factory=dict)
    sets: dict[str, Any] = Field(default_factory=dict)
    measure: dict[str, Any] = Field(default_factory=dict)
    train_reconstruct: dict[str, Any] = Field(default_factory=dict)
    reconstruct: dict[str, Any] = Field(default_factory=dict)
    apply: dict[str, Any] = Field(default_factory=dict)

    def write(self, path: Path | str) -> None:
        """Write the recipe as JSON.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        write_atomically(Path(path), self.model_dump_json(indent=1))


def read_recipe(path: Path | str) -> Recipe:
    """Read a recipe file, or the settings of the last runs of a project folder.

    Raises
    ------
    SettingsError
        If it is no recipe, or comes from a newer version.
    OutputError
        If it is a project that cannot be read.
    """
    path = Path(path)
    if path.is_dir() or path.name == INDEX:
        folder = path if path.is_dir() else path.parent
        return Recipe.checked(**Project.open(folder).record.settings)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"The recipe {path} cannot be read: {error}.") from error
    version = content.get("format_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise SettingsError(
            f"The recipe {path} has format {version}, this version of napari-sashiko "
            f"reads up to {FORMAT_VERSION}.",
            "Update napari-sashiko.",
        )
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its content"
        raise SettingsError(
            f"The recipe {path} is damaged: {place}: {first['msg']}."
        ) from error
