"""What a user may set about learning to reconstruct slices of sinograms."""

from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le
from pydantic import Field

from napari_sashiko.tomography import Order
from napari_sashiko.training.learning import FitSettings, ImageLossName


class TrainReconstructSettings(FitSettings):
    """How networks learn to make slices of sinograms."""

    supplied: ClassVar[dict[str, str]] = FitSettings.supplied | {
        "sinogram": "The volume of sinograms",
        "size": "The volume of slices",
    }

    network: str = Field(
        "auto",
        description="Kind of network: auto, or automap, conv_reconstruct, "
        "dense_reconstruct; auto takes conv_reconstruct.",
    )
    members: Annotated[int, Ge(1), Le(32)] = Field(
        2,
        description="Networks in the ensemble, 1-32; where they differ, a slice is "
        "uncertain.",
    )
    order: Order = Field(
        "slices",
        description="Axes of the sinograms: slices is (slice, angle, detector), "
        "projections is (angle, slice, detector).",
    )
    loss: ImageLossName = Field(
        "l2", description="Loss of images: absolute (l1) or squared (l2) difference."
    )
    total_variation: Annotated[float, Ge(0), Le(100)] = Field(
        0.0,
        description="Weight of the total variation of the slice in the loss: above 0, "
        "areas become flatter.",
    )
    mixing: Annotated[float, Ge(0), Le(1)] = Field(
        0.5,
        description="Share of a batch that is a sum of two slices: its sinogram is the "
        "sum of theirs. 0 where sinograms are no sums along lines.",
    )
    epochs: Annotated[int, Ge(1), Le(10_000)] = Field(
        60, description="Epochs of each network, 25 batches each."
    )
    batch: Annotated[int, Ge(1), Le(512)] = Field(
        16, description="Slices in a batch; halved when memory runs out."
    )
    learning_rate: Annotated[float, Gt(0), Le(1)] = Field(
        1e-3, description="Highest learning rate of the schedule."
    )
