"""What a user may set about training; everything has a default that is measured."""

from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import BeforeValidator, Field

from napari_sashiko.training.learning import LearningSettings


def _names(value: Any) -> Any:
    """Take ``"noise, blur"`` for a list of names."""
    if not isinstance(value, str):
        return value
    return tuple(name.strip() for name in value.split(",") if name.strip())


class TrainingSettings(LearningSettings):
    """All settings of a training run."""

    members: Annotated[int, Ge(0), Le(32)] = Field(
        4,
        description="Networks in the ensemble, 0-32; each holds other strokes out. "
        "More are slower and steadier; 0 leaves the forest alone.",
    )
    patch: Annotated[int, Ge(8), Le(512)] | None = Field(
        None,
        description="Edge of a training patch, voxels; if empty 32 for networks of 2 "
        "dimensions that look no further than 24 voxels, as the default ones, else 64.",
    )
    forest: bool = Field(
        default=True,
        description="Also train a random forest: an instant preview, and a member "
        "whose weight is chosen on held-out strokes.",
    )
    teacher: Annotated[float, Ge(0), Le(100)] = Field(
        4.0,
        description="How much networks listen to the forest, at random places, against "
        "the paint's 1; 0 lets them learn from paint alone. Needs the forest.",
    )
    loss: str = Field(
        "cross_entropy", description="What is made small on paint: name of a loss."
    )
    rotations: Literal["auto", "yes", "no", "half_turns"] = Field(
        "auto",
        description="Turn patches by right angles while training; wrong where the "
        "direction of a texture tells classes apart. no: flip them only; half_turns: "
        "not even that, for diagonals. auto asks the held-out strokes.",
    )
    levelling: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="Bring each slice to the same mean and contrast by itself; auto "
        "does where slices are pictures of their own: light differs between these.",
    )
    augment: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field(
        ("gamma",),
        description="Random changes of training patches besides flips and turns, one "
        "after another: blur, elastic, gamma, noise, scale, turns. Empty for none.",
    )
    trees: Annotated[int, Ge(2), Le(2000)] = Field(
        64, description="Trees of the forest; more are slower and little better."
    )
    loss_settings: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the loss, by name."
    )
