"""The model's card: everything about it that is not a tensor, as ``model.json``."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le, Len
from pydantic import Field, FiniteFloat, PositiveFloat, model_validator

from napari_sashiko.config import Settings
from napari_sashiko.labels import LabelClass
from napari_sashiko.metrics import SetCalibration
from napari_sashiko.volumes import Normalisation

FORMAT_VERSION = 1


class MemberCard(Settings):
    """One member: how to rebuild it, and how much its word counts.

    Parameters
    ----------
    kind : str
        ``"network"`` or ``"forest"``.
    file : str
        Name of its tensors in the model folder, given by `save_model`.
    weight : float
        Share in the ensemble's mean; the weights of a model sum to 1.
    neighbours : int
        Slices on either side that a 2D network sees as channels.
    spec : dict
        What the network or the filter bank is rebuilt from.
    """

    kind: Literal["network", "forest"]
    file: str = ""
    weight: Annotated[FiniteFloat, Ge(0)]
    neighbours: Annotated[int, Ge(0)] = 0
    spec: dict[str, Any]


class Restoring(Settings):
    """What a model makes of an image where it does not tell classes: another image.

    Parameters
    ----------
    target : Normalisation
        Turns what networks give into grey values, channel by channel.
    fills_gaps : bool
        Whether voxels that were measured stay as they are, and only others are
        restored.
    shows_gaps : bool
        Whether networks see where the gaps are, as one more channel behind those of
        the image; models from before did not.
    """

    target: Normalisation
    fills_gaps: bool = False
    shows_gaps: bool = False

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Leave out what is not so: digests of older models are made of this."""
        for name, value in super().__repr_args__():
            if name != "shows_gaps" or value:
                yield name, value


class Reconstructing(Settings):
    """What a model makes of a sinogram: a slice.

    Parameters
    ----------
    target : Normalisation
        Turns what networks give into grey values.
    angles : tuple of float
        Degrees, one for each row of a sinogram.
    detectors : int
        Columns of a sinogram.
    size : int
        Side of the slice.
    """

    target: Normalisation
    angles: Annotated[tuple[FiniteFloat, ...], Len(1)]
    detectors: Annotated[int, Ge(1)]
    size: Annotated[int, Ge(1)]


class Exploring(Settings):
    """What a model says of patches where it neither tells classes nor restores.

    Parameters
    ----------
    edge : int
        Voxels of a patch along y and x.
    latent : int
        Numbers that are kept of a patch.
    distance_limit, error_limit : float
        A patch with latents further from those of training patches, or made again
        with a larger error, lies outside of what the model was trained on.
    chance : float
        Share of held-out patches of the training image beyond either limit.
    shrink : int
        Voxels of an image along y and x whose mean is one voxel of a patch.
    """

    edge: Annotated[int, Ge(1)]
    latent: Annotated[int, Ge(1)]
    distance_limit: PositiveFloat
    error_limit: PositiveFloat
    chance: Annotated[FiniteFloat, Ge(0), Le(1)] = 0.0
    shrink: Annotated[int, Ge(1)] = 1

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Leave out what is not set: digests of older models are made of this."""
        for name, value in super().__repr_args__():
            if name != "shrink" or value != 1:
                yield name, value


class ModelCard(Settings):
    """What a trained model is.

    Parameters
    ----------
    format_version : int
        Version of the folder's layout.
    name, created : str
        For people; ``created`` is ISO 8601 with time zone.
    classes : tuple of LabelClass
        Channel ``c`` of a prediction is the class at place ``c``; empty where
        `restoring`, `exploring` or `reconstructing` says what the model does instead.
    restoring : Restoring or None
        None for a model that does not restore images.
    exploring : Exploring or None
        None for a model that does not squeeze patches into latent numbers.
    reconstructing : Reconstructing or None
        None for a model that does not make slices of sinograms.
    channels : int
        Image channels that the model expects.
    voxel_size : tuple of float
        (z, y, x) of the image it was trained on, in ``unit``.
    dims : int
        2 or 3: along how many axes its networks look (2 may see neighbouring slices).
    normalisation : Normalisation
        Applied to every image before the members see it.
    members : tuple of MemberCard
        In the order in which they were made.
    correction : tuple of float
        Per class, the factor by which every member's probabilities are multiplied (and
        normalised again): what is rare in the volume but not in the paint has less than
        1. Empty for none.
    temperature : float
        Every member's corrected probabilities are raised to ``1 / temperature`` (and
        normalised again): below 1 they become surer, 1 leaves them as they are.
    sets : SetCalibration or None
        Prediction sets as calibrated on held-out strokes; None where nothing was held
        out, and in models from before there were any.
    patch : dict
        Patch settings of the training.
    training : dict
        Seeds, metrics by epoch, label counts, data digest, versions, reasons.
    """

    format_version: Annotated[int, Ge(1), Le(FORMAT_VERSION)] = FORMAT_VERSION
    name: str
    created: str
    classes: tuple[LabelClass, ...]
    restoring: Restoring | None = None
    reconstructing: Reconstructing | None = None
    exploring: Exploring | None = None
    channels: Annotated[int, Ge(1)]
    voxel_size: tuple[PositiveFloat, PositiveFloat, PositiveFloat]
    unit: str
    dims: Literal[2, 3]
    normalisation: Normalisation
    members: tuple[MemberCard, ...] = Field(min_length=1)
    correction: tuple[Annotated[float, Gt(0)], ...] = ()
    temperature: PositiveFloat = 1.0
    sets: SetCalibration | None = None
    patch: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)

    @property
    def voices(self) -> tuple[str, ...]:
        """Kinds of the members that have a say, in their order."""
        return tuple(each.kind for each in self.members if each.weight > 0)

    @property
    def inputs(self) -> int:
        """Channels of a slice as networks see it."""
        shown = self.restoring is not None and self.restoring.shows_gaps
        return self.channels + shown

    @property
    def outputs(self) -> int:
        """Channels of a prediction."""
        if self.exploring is not None:
            return self.channels
        imaging = self.restoring or self.reconstructing
        return len(imaging.target.center) if imaging else len(self.classes)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        ids = [each.id for each in self.classes]
        tasks = (self.restoring, self.exploring, self.reconstructing)
        if bool(ids) + sum(task is not None for task in tasks) != 1:
            raise ValueError(
                "a model tells classes, restores, explores or reconstructs images"
            )
        if len(set(ids)) != len(ids):
            raise ValueError(f"classes share an id: {ids}")
        if len(self.correction) not in (0, len(ids)):
            raise ValueError(
                f"{len(self.correction)} corrections for {len(ids)} classes"
            )
        known = self.normalisation
        for name in ("low", "high", "center", "scale"):
            if len(getattr(known, name)) != self.channels:
                raise ValueError(
                    f"normalisation.{name} has not one value for each of "
                    f"{self.channels} channels"
                )
        if not any(each.weight > 0 for each in self.members):
            raise ValueError("no member has any weight")
        return self
