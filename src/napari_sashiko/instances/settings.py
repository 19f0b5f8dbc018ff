"""What a user may set about finding instances."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from napari_sashiko.errors import SettingsError
from napari_sashiko.instances.dust import parse_dust
from napari_sashiko.runners import RunnerSettings

Connectivity = Literal[6, 18, 26]
Split = Literal["no", "distance", "boundary"]
DEPTHS = {"distance": 0.1, "boundary": 0.25}


class InstanceSettings(RunnerSettings):
    """Which voxels belong to objects, what touches, and what is dust."""

    label_class: int | str | None = Field(
        default=None,
        description="Class name or id; None takes the second class, "
        "for the first most often is the background.",
    )
    threshold: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        description="A voxel belongs to an object if mean - k std is above this.",
    )
    minus_std: float = Field(
        default=0.0,
        ge=0.0,
        description="k: how many deviations are taken off the mean. 1 keeps what the "
        "ensemble agrees on.",
    )
    connectivity: Connectivity = Field(
        default=26,
        description="Neighbours that touch: across faces (6), edges too (18), corners "
        "too (26).",
    )
    dust: str = Field(
        default="0",
        description="Objects below this size are removed: voxels ('100') or a volume "
        "('100 um^3').",
    )
    split: Split = Field(
        default="no",
        description="Objects that touch are cut apart: not at all, at narrow places "
        "(distance), or at narrow places and along a class that marks what lies "
        "between objects (boundary).",
    )
    split_depth: float | None = Field(
        default=None,
        gt=0.0,
        lt=1.0,
        description="Two objects are cut apart where they are narrower than the "
        "smaller of them by this share of its width; less cuts more. Empty: 0.1 for "
        "distance, 0.25 for boundary.",
    )
    split_radius: int = Field(
        default=32,
        ge=4,
        le=128,
        description="Depth in an object up to which its shape is looked at, in voxels "
        "of the finest axis: the halo of a block. Whatever is thicker counts as this "
        "thick.",
    )
    boundary_class: int | str | None = Field(
        default=None,
        description="Class name or id of what lies between objects, for boundary.",
    )
    boundary_above: float = Field(
        default=0.35,
        ge=0.0,
        le=1.0,
        description="A voxel of an object counts as boundary if the mean of that class "
        "is above this.",
    )

    def record(self) -> dict[str, Any]:
        """Everything that decides the result: not where the work runs."""
        return self.model_dump(mode="json", exclude=set(RunnerSettings.model_fields))

    @property
    def depth(self) -> float:
        """Least depth of a valley between two objects, as a share of their height."""
        return self.split_depth or DEPTHS.get(self.split, 0.0)

    def splitting(self) -> dict[str, Any]:
        """Return what decides where objects are cut; empty if they are not."""
        if self.split == "no":
            return {}
        kept = {"split": self.split, "depth": self.depth, "radius": self.split_radius}
        return kept | (
            {"above": self.boundary_above} if self.split != "distance" else {}
        )

    @field_validator("dust")
    @classmethod
    def _readable(cls, value: str) -> str:
        parse_dust(value)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.split == "boundary" and self.boundary_class is None:
            raise SettingsError(
                "Splitting at a boundary needs the class between objects.",
                "Give boundary_class, a name or an id.",
            )
        if self.split != "boundary" and self.boundary_class is not None:
            raise SettingsError(
                f"The class between objects ({self.boundary_class}) is for splitting "
                f"at a boundary, not for split = {self.split!r}.",
                "Set split to 'boundary', or leave boundary_class out.",
            )
        return self
