"""What a user may set about figures."""

from typing import Self

from pydantic import Field, model_validator

from napari_sashiko.config import Settings

# A shell wider than this would need blocks of more than a hundred megabytes.
LARGEST_RADIUS = 64


class PlotSettings(Settings):
    """How much is looked at, and what of it is shown."""

    label_class: int | str | None = Field(
        default=None,
        description="Class name or id for the map of directions; empty: the class of "
        "the objects, else the second class.",
    )
    radius_from: float | None = Field(
        default=None,
        ge=1.0,
        lt=LARGEST_RADIUS,
        description="Inner radius of the shell of the autocorrelation, in voxels of "
        "the finest axis; empty: two thirds of the outer one.",
    )
    radius_to: float | None = Field(
        default=None,
        ge=2.0,
        le=LARGEST_RADIUS,
        description="Outer radius of that shell, in voxels of the finest axis; empty: "
        "30, less in a volume that is thinner than 60.",
    )
    blocks: int = Field(
        default=12,
        ge=1,
        le=1000,
        description="Blocks of the volume that are looked at, at random places: for "
        "the autocorrelation, and for grey values of predicted classes.",
    )
    bins: int = Field(
        default=64,
        ge=4,
        le=1024,
        description="Most bins of a histogram of grey values.",
    )
    plane: int | None = Field(
        default=None,
        ge=0,
        description="Slice that is shown, from 0; empty: the one with most paint, else "
        "the middle one.",
    )
    seed: int = Field(
        default=0, ge=0, description="Decides the places of the blocks, for good."
    )

    @model_validator(mode="after")
    def _shell(self) -> Self:
        inner, outer = self.radius_from, self.radius_to
        if inner is not None and outer is not None and inner >= outer:
            raise ValueError(f"radius_from = {inner} is not below radius_to = {outer}")
        return self
