"""The model's card: everything about it that is not a tensor, as ``model.json``."""

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt
from pydantic import Field

from napari_sashiko.config import Settings
from napari_sashiko.labels import LabelClass
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
    weight: Annotated[float, Ge(0)]
    neighbours: Annotated[int, Ge(0)] = 0
    spec: dict[str, Any]


class ModelCard(Settings):
    """What a trained model is.

    Parameters
    ----------
    format_version : int
        Version of the folder's layout.
    name, created : str
        For people; ``created`` is ISO 8601 with time zone.
    classes : tuple of LabelClass
        Channel ``c`` of a prediction is the class at place ``c``.
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
    patch : dict
        Patch settings of the training.
    training : dict
        Seeds, metrics by epoch, label counts, data digest, versions, reasons.
    """

    format_version: int = FORMAT_VERSION
    name: str
    created: str
    classes: tuple[LabelClass, ...]
    channels: Annotated[int, Ge(1)]
    voxel_size: tuple[float, float, float]
    unit: str
    dims: Literal[2, 3]
    normalisation: Normalisation
    members: tuple[MemberCard, ...] = Field(min_length=1)
    correction: tuple[Annotated[float, Gt(0)], ...] = ()
    patch: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
