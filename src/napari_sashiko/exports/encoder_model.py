"""A model that explores as an ONNX graph: patches in, a few numbers of each out."""

import json
from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch

from napari_sashiko.checkpoints import ModelCard, load_explorer
from napari_sashiko.exports._graph import EncoderGraph
from napari_sashiko.exports._tracing import (
    Floats,
    check_size,
    facts_of,
    need_packages,
    onnx_of,
    state_facts,
)
from napari_sashiko.exports._trial import largest_difference, random_image, remarks
from napari_sashiko.runners import Event, Progress

STEPS = 3  # of the progress
MOST_PATCHES = 65_536  # in one go


def encoder_steps(model: Path) -> Generator[Event, None, tuple[bytes, str]]:
    """Turn a model that explores into a graph: the file, and what it is in words.

    Yields
    ------
    Message, Progress

    Raises
    ------
    ModelError
        If ONNX cannot express it.
    OutputError
        If a package is missing.
    """
    need_packages()
    yield Progress(0, STEPS, "exporting")
    explorer = load_explorer(model, "cpu")
    card, network = explorer.card, explorer.network
    graph = EncoderGraph(card, network).eval()
    check_size(graph, model)
    patches = _patches(card, network.edge, 2, seed=0)
    count = torch.export.Dim("patches", min=1, max=MOST_PATCHES)
    proto = onnx_of(graph, patches, {0: count})
    facts = {"edge": json.dumps(network.edge), "latent": json.dumps(network.latent)}
    state_facts(proto, facts_of(card) | facts)
    content: bytes = proto.SerializeToString()
    yield Progress(1, STEPS, "exporting")
    others = _patches(card, network.edge, 3, seed=1)
    spread = float(explorer.known.abs().max())
    difference = largest_difference(graph, content, others) / max(spread, 1.0)
    yield from remarks(card, difference, "shares of the largest number")
    yield Progress(2, STEPS, "exporting")
    edge = " x ".join([str(network.edge)] * network.dims)
    return content, f"an encoder as a graph, {network.latent} numbers of {edge} voxels"


def _patches(card: ModelCard, edge: int, count: int, seed: int) -> Floats:
    """Patches ``(count, C, edge, edge)``: slices of a random image."""
    image = random_image(card, (count, edge, edge), seed)
    return np.ascontiguousarray(image[0].swapaxes(0, 1))
