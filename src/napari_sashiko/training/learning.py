"""What a user may set about any training of networks."""

from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, Field, field_validator

from napari_sashiko.config import Settings
from napari_sashiko.errors import SettingsError
from napari_sashiko.losses import IMAGE_LOSSES
from napari_sashiko.training.schedule import REDUCED, WAIT


def _known_loss(name: str) -> str:
    """Refuse a name that is not in the registry."""
    IMAGE_LOSSES[name]
    return name


ImageLossName = Annotated[str, AfterValidator(_known_loss)]


class FitSettings(Settings):
    """How a network learns from patches, whatever it learns.

    Attributes
    ----------
    supplied : dict
        What networks are given beside their own settings, and who decides it.
    """

    supplied: ClassVar[dict[str, str]] = {
        "name": "The setting network",
        "seed": "The setting seed",
        "in_channels": "The image",
        "out_channels": "What is learned",
    }

    network: str = Field(
        "auto",
        description="Kind of network: auto, or alexnet, msdnet, pixelnet, segnet, "
        "smsnet, tunet, tunet3plus, unet.",
    )
    epochs: Annotated[int, Ge(1), Le(10_000)] = Field(
        30, description="Epochs of each network, 25 batches each."
    )
    minutes: Annotated[float, Gt(0), Le(10_000)] | None = Field(
        2.0,
        description="Most minutes that training may take; it ends earlier when all "
        "epochs are done.",
    )
    batch: Annotated[int, Ge(1), Le(512)] = Field(
        8, description="Patches in a batch; halved when memory runs out."
    )
    learning_rate: Annotated[float, Gt(0), Le(1)] = Field(
        3e-3, description="Highest learning rate of the schedule."
    )
    schedule: Literal["one_cycle", "cosine", "plateau"] = Field(
        "one_cycle",
        description="How the learning rate goes: up and down, down, or lower each time "
        "that some epochs brought nothing.",
    )
    plateau_wait: Annotated[int, Ge(1), Le(10_000)] = Field(
        WAIT,
        description="Epochs without a better held-out loss after which plateau lowers "
        "the learning rate; patience, if any, must be longer.",
    )
    plateau_factor: Annotated[float, Gt(0), Lt(1)] = Field(
        REDUCED, description="What plateau leaves of the learning rate each time."
    )
    patience: Annotated[int, Ge(0), Le(10_000)] = Field(
        0,
        description="Epochs without a better held-out loss after which a network "
        "stops; 0 never stops early.",
    )
    optimiser: Literal["adamw", "adam", "sgd"] = Field(
        "adamw", description="How weights follow their gradients."
    )
    clip: Annotated[float, Gt(0), Le(1e6)] = Field(
        5.0, description="Largest norm of all gradients of a step together."
    )
    precision: Literal["auto", "full"] = Field(
        "auto",
        description="Of numbers while networks learn: auto mixes bfloat16 in where it "
        "is faster, full never does.",
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0 or mps.")
    seed: Annotated[int, Ge(0)] = Field(
        0, description="Fixes every random choice, so that a run can be repeated."
    )
    network_settings: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the network, by name."
    )

    @field_validator("network_settings")
    @classmethod
    def _are_its_own(cls, given: dict[str, Any]) -> dict[str, Any]:
        for name in set(given) & set(cls.supplied):
            raise SettingsError(
                f"network_settings.{name} is no setting of the network.",
                f"{cls.supplied[name]} decides it.",
            )
        return given


class LearningSettings(FitSettings):
    """How ensembles of networks learn that make an image of an image."""

    supplied: ClassVar[dict[str, str]] = FitSettings.supplied | {
        "dims": "The setting dims"
    }

    members: Annotated[int, Ge(0), Le(32)] = Field(
        4,
        description="Networks in the ensemble; more are slower and steadier.",
    )
    dims: Literal["auto", "2", "3"] = Field(
        "auto",
        description="Look at slices with their neighbours (2) or at blocks (3).",
    )
    neighbours: Annotated[int, Ge(0), Le(15)] | None = Field(
        None, description="Slices on either side that a 2D network sees; auto if empty."
    )
