"""What a user may set about finding instances."""

from typing import Any, Literal

from pydantic import Field, field_validator

from napari_sashiko.config import Settings
from napari_sashiko.instances.dust import parse_dust

Connectivity = Literal[6, 18, 26]


class InstanceSettings(Settings):
    """Which voxels belong to objects, what touches, and what is dust."""

    label_class: int | str | None = Field(
        default=None,
        description="Class name or id; None takes the rarest class.",
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

    runner: Literal["serial", "threads", "dask"] = Field(
        default="threads", description="Where the work runs."
    )
    workers: int | None = Field(
        default=None, ge=1, description="Blocks in work at a time; None decides."
    )
    scheduler: str | None = Field(
        default=None, description="Address of a Dask scheduler, e.g. tcp://host:8786."
    )

    def record(self) -> dict[str, Any]:
        """Everything that decides the result: not where the work runs."""
        return self.model_dump(mode="json", exclude={"runner", "workers", "scheduler"})

    @field_validator("dust")
    @classmethod
    def _readable(cls, value: str) -> str:
        parse_dust(value)
        return value
