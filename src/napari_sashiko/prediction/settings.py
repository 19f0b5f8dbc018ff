"""What a user may set about a prediction, and about the search for places."""

from typing import Annotated, Literal

from pydantic import Field

from napari_sashiko.config import Settings
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


class PlacesSettings(Settings):
    """How many places are listed, how far apart, and how long they are looked for."""

    count: int = Field(
        default=20, ge=1, le=1000, description="Places of each kind, at most."
    )
    apart: float = Field(
        default=24.0,
        ge=1.0,
        le=10_000.0,
        description="Least distance of two unsure places, in voxels of the finest "
        "axis.",
    )
    away: float = Field(
        default=6.0,
        ge=0.0,
        le=1000.0,
        description="Nothing is listed as unsure so near to paint, in voxels of the "
        "finest axis.",
    )
    blocks: int = Field(
        default=64,
        ge=1,
        le=10_000,
        description="Blocks that are looked at, spread over the volume, and as many "
        "with paint. A block has about 150 000 voxels, in a prediction up to a "
        "million.",
    )
    seconds: float | None = Field(
        default=15.0,
        gt=0.0,
        le=100_000.0,
        description="Most seconds that looking may take; None sets no limit.",
    )
    seed: int = Field(
        default=0, ge=0, description="Decides which blocks are looked at."
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:0 or mps.")
