"""What a user may set about measuring: how it is predicted and what is an object."""

from pathlib import Path
from typing import Any

from pydantic import Field

from napari_sashiko.instances import InstanceSettings
from napari_sashiko.pipeline.project import INDEX, Project
from napari_sashiko.pipeline.recipe import Recipe
from napari_sashiko.pipeline.results import open_prediction
from napari_sashiko.prediction import PredictionSettings, read_record
from napari_sashiko.runners import RunnerSettings

PLACES = (*RunnerSettings.model_fields, "device")
OF_ONE_RUN = ("overwrite", "center")  # nothing to repeat


class MeasureSettings(PredictionSettings, InstanceSettings):
    """Settings of prediction and instances, for each member alone.

    A single member has no deviation, so that `minus_std` does nothing here.
    """

    keep_maps: bool = Field(
        default=False,
        description="Keep the map of each member, as large as a prediction each, so "
        "that measuring again with another threshold or dust size takes no prediction.",
    )

    def for_prediction(self) -> PredictionSettings:
        """How each member's map is made."""
        values = {name: getattr(self, name) for name in PredictionSettings.model_fields}
        # Nobody looks on, and what another run left is told apart by its digest.
        return PredictionSettings(**values | {"center": None, "overwrite": False})

    def for_instances(self) -> InstanceSettings:
        """What is an object in each member's map."""
        values = {name: getattr(self, name) for name in InstanceSettings.model_fields}
        values["minus_std"] = 0.0  # a member alone has none
        return InstanceSettings(**values)


def recipe_values(recipe: Recipe) -> dict[str, Any]:
    """Return what a recipe says about measuring: its own words win over the steps'."""
    values = recipe.predict | recipe.instances | recipe.measure
    return {key: value for key, value in values.items() if key not in OF_ONE_RUN}


def settings_like(
    prediction: Path | str, instances: InstanceSettings
) -> MeasureSettings:
    """Cut the volume as a prediction did, where the project ran it last.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr.
    instances : InstanceSettings
        What is an object.

    Raises
    ------
    OutputError
        If there is no prediction, or it is damaged.
    """
    path = Path(prediction).absolute()
    found, record = open_prediction(path), read_record(path) or {}
    plan = record["plan"]
    cut = {key: plan[key] for key in ("window", "border", "border_weight", "step")}
    objects = instances.model_dump(exclude=set(RunnerSettings.model_fields))
    return MeasureSettings.checked(
        **_place(path.parents[1]), **cut, **objects, dtype=str(found.mean.dtype)
    )


def _place(folder: Path) -> dict[str, Any]:
    """Where the project predicted last: runner and device."""
    if not (folder / INDEX).exists():
        return {}
    last = Project.open(folder).record.settings.get("predict", {})
    return {key: last[key] for key in PLACES if key in last}
