"""What a user may set about the reconstruction of a volume."""

from pydantic import Field

from napari_sashiko.config import Settings
from napari_sashiko.tomography import FilterName, Order


class ReconstructSettings(Settings):
    """How sinograms become a volume."""

    order: Order = Field(
        default="slices",
        description="Axes of the sinograms: slices is (slice, angle, detector), "
        "projections is (angle, slice, detector).",
    )
    filter: FilterName = Field(
        default="ramp",
        description="Filter of the back-projection; all but ramp take fine detail and "
        "noise down, none leaves it blurred.",
    )
    circle: bool = Field(
        default=True,
        description="Nothing lies outside the circle that all angles see: 0 there.",
    )
    beside: bool = Field(
        default=True,
        title="beside networks",
        description="Beside what a model makes, write the filtered back-projection.",
    )
    device: str = Field(
        default="auto", description="Of the model: auto, cpu, cuda, cuda:0 or mps."
    )
    overwrite: bool = Field(
        default=False, description="Start anew where a reconstruction exists."
    )
