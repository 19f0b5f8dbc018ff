"""What a user may set about learning to explore images."""

from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le
from pydantic import Field

from napari_sashiko.training.learning import FitSettings


class ExploreSettings(FitSettings):
    """How a network learns to keep a few numbers of a patch.

    It learns from the image alone, slice by slice.
    """

    supplied: ClassVar[dict[str, str]] = FitSettings.supplied | {
        "dims": "The network, which looks at slices,",
        "edge": "The setting patch",
        "latent": "The setting latent",
        "channels": "The image",
    }

    network: str = Field(
        "autoencoder",
        description="Kind of network: autoencoder, or vae, whose numbers change "
        "smoothly from patch to patch.",
    )
    latent: Annotated[int, Ge(1), Le(1024)] = Field(
        16, description="Numbers that are kept of a patch, 1-1024."
    )
    patch: Annotated[int, Ge(8), Le(512)] | None = Field(
        None,
        description="Edge of a patch, voxels; if empty 32, or whole slices where an "
        "image has several of at most 64 voxels, as they are or shrunk.",
    )
    shrink: Annotated[int, Ge(1), Le(64)] = Field(
        1,
        description="Make the image smaller first: the mean of so many voxels along y "
        "and x is one. With it whole slices wider than 512 voxels are a patch.",
    )
    turned: bool = Field(
        default=True,
        description="Learn from patches that are turned and flipped, too: more to "
        "learn from where there is little.",
    )
    epochs: Annotated[int, Ge(1), Le(10_000)] = Field(
        40, description="Epochs of the network, 25 batches each."
    )
    batch: Annotated[int, Ge(1), Le(512)] = Field(
        32, description="Patches in a batch; halved when memory runs out."
    )
    learning_rate: Annotated[float, Gt(0), Le(1)] = Field(
        3e-3, description="Highest learning rate of the schedule."
    )
