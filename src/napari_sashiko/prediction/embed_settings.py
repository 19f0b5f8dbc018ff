"""What a user may set about embedding the patches of an image."""

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from napari_sashiko.config import Settings

Method = Literal["pca", "tsne", "umap"]


class EmbedSettings(Settings):
    """Which patches of an image are looked at, and how their numbers become two."""

    method: Method = Field(
        "pca",
        description="How latent numbers become two: pca (the same axes for every "
        "image), tsne, or umap (needs umap-learn).",
    )
    step: Annotated[int, Ge(1), Le(4096)] | None = Field(
        None,
        title="patch step",
        description="Voxels from patch to patch along y and x; their edge if empty.",
    )
    most: Annotated[int, Ge(4), Le(200_000)] = Field(
        2000,
        title="most patches",
        description="Most patches; of more, so many are drawn at random.",
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0 or mps.")
    seed: Annotated[int, Ge(0)] = Field(
        0, description="Decides which patches are drawn, and where tsne and umap begin."
    )
