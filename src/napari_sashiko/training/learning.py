"""What a user may set about any training of networks that look at patches."""

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from napari_sashiko.training.course import CourseSettings


class LearningSettings(CourseSettings):
    """How networks learn of patches, whatever they learn."""

    network: str = Field(
        "auto",
        description="Kind of network: auto, or msdnet, pixelnet, segnet, smsnet, "
        "tunet, tunet3plus, unet.",
    )
    dims: Literal["auto", "2", "3"] = Field(
        "auto",
        description="Look at slices with their neighbours (2) or at blocks (3).",
    )
    neighbours: Annotated[int, Ge(0), Le(15)] | None = Field(
        None, description="Slices on either side that a 2D network sees; auto if empty."
    )
    patch: Annotated[int, Ge(8), Le(512)] = Field(
        64, description="Edge of a training patch, voxels."
    )
