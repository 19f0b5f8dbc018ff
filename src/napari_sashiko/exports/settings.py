"""What a user may set about an export."""

from typing import Literal

from pydantic import Field

from napari_sashiko.config import Settings

Part = Literal["classes", "mean", "std", "labels", "sizes", "fbp"]


class ExportSettings(Settings):
    """Which part of a result is written, and what is said about a model."""

    part: Part | None = Field(
        default=None,
        description="Of a prediction: classes, mean or std; instances have labels, "
        "prediction sets have sizes, a reconstruction has mean, std or fbp. None takes "
        "mean where a class is named, else what there is, of a prediction its classes.",
    )
    label_class: int | str | None = Field(
        default=None,
        description="Class name or id whose mean or std is written; None writes all "
        "of them as channels.",
    )
    channel: int | None = Field(
        default=None,
        ge=1,
        description="Channel of a restored image that is written, from 1; None writes "
        "all of them.",
    )
    authors: tuple[str, ...] = Field(
        default=(), description="Who made a model, for its package of bioimage.io."
    )
    license: str | None = Field(
        default=None,
        description="Of a model in its package of bioimage.io, an SPDX identifier such "
        "as CC-BY-4.0.",
    )
    overwrite: bool = Field(
        default=False, description="Replace a file that has the name already."
    )
