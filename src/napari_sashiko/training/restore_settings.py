"""What a user may set about learning to restore images."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import Field, FiniteFloat

from napari_sashiko.training.learning import ImageLossName, LearningSettings


class RestoreSettings(LearningSettings):
    """How networks learn to make one image of another.

    Without a clean image they learn from the noisy one alone.
    """

    network: str = Field(
        "auto",
        description="Kind of network: auto, or any that *Train* has; or autoencoder or "
        "vae, which squeeze patches into a few numbers and make them again.",
    )
    members: Annotated[int, Ge(1), Le(32)] = Field(
        2,
        description="Networks in the ensemble, 1-32; where they differ, what they "
        "restore is uncertain.",
    )
    patch: Annotated[int, Ge(8), Le(512)] = Field(
        64, description="Edge of a training patch, voxels."
    )
    gaps: bool = Field(
        default=False,
        description="Fill what was not measured (NaN, or `missing`) and leave the rest "
        "as it is.",
    )
    missing: FiniteFloat | None = Field(
        None, description="Grey value of voxels that were not measured, beside NaN."
    )
    loss: Literal["auto"] | ImageLossName = Field(
        "auto",
        description="Loss of images: absolute (l1) or squared (l2) difference; auto "
        "takes l2 where there is no clean image, for noise has the right mean, and l1 "
        "otherwise.",
    )
    total_variation: Annotated[float, Ge(0), Le(100)] = Field(
        0.0,
        description="Weight of the total variation of the restored image in the loss: "
        "above 0, areas become flatter.",
    )
    rotations: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="Turn patches by right angles while training; auto does, but not "
        "where gaps are filled.",
    )
    batch: Annotated[int, Ge(1), Le(512)] = Field(
        8, description="Patches in a batch; halved when memory runs out."
    )
    learning_rate: Annotated[float, Gt(0), Le(1)] = Field(
        2e-3, description="Highest learning rate of the schedule."
    )
