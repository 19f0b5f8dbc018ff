"""What a user may set about a prediction."""

from typing import Annotated, Literal

from pydantic import Field

from napari_sashiko.runners import RunnerSettings

Size = tuple[
    Annotated[int, Field(ge=1)],
    Annotated[int, Field(ge=1)],
    Annotated[int, Field(ge=1)],
]
Width = tuple[
    Annotated[int, Field(ge=0)],
    Annotated[int, Field(ge=0)],
    Annotated[int, Field(ge=0)],
]


class PredictionSettings(RunnerSettings):
    """How a volume is cut, on what it is predicted, and where it is stored."""

    window: Size | None = Field(
        default=None,
        description="Voxels (z, y, x) that the networks see at a time; None takes what "
        "the device has room for. Halved by itself when memory runs out.",
    )
    border: Width | None = Field(
        default=None,
        description="Voxels (z, y, x) at each inner window face whose prediction is "
        "not trusted; None takes what the networks want, up to an eighth of a window.",
    )
    border_weight: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="0 crops the border; above 0, overlapping windows are blended and "
        "their borders weigh this much.",
    )
    step: Size | None = Field(
        default=None,
        description="Voxels (z, y, x) from window to window when blending; None takes "
        "the window less one border.",
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:0 or mps.")
    dtype: Literal["float16", "float32"] = Field(
        default="float16", description="How probabilities are stored."
    )
    center: tuple[float, float, float] | None = Field(
        default=None,
        description="Voxel (z, y, x) in view: blocks near to it come first.",
    )
    overwrite: bool = Field(
        default=False,
        description="Start anew where a prediction exists, also one of another model.",
    )
