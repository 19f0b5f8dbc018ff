"""A model that explores as an ONNX graph: patches in, a few numbers of each out."""

from collections.abc import Generator
from pathlib import Path

from napari_sashiko.checkpoints import load_explorer
from napari_sashiko.exports._batches import Kind, batch_steps
from napari_sashiko.exports._graph import EncoderGraph
from napari_sashiko.runners import Event


def encoder_steps(model: Path) -> Generator[Event, None, tuple[bytes, str]]:
    """Turn a model that explores into a graph: the file, and what it is in words.

    Yields
    ------
    Message, Progress

    Raises
    ------
    ModelError
        If ONNX cannot express it.
    """
    explorer = load_explorer(model, "cpu")
    card, network = explorer.card, explorer.network
    kind = Kind(
        name="patches",
        size=(network.edge, network.edge),
        facts={"edge": network.edge, "latent": network.latent},
        unit=max(float(explorer.known.abs().max()), 1.0),
        unit_name="shares of the largest number",
    )
    graph = EncoderGraph(card, network).eval()
    content = yield from batch_steps(model, card, graph, kind)
    edge = " x ".join([str(network.edge)] * network.dims)
    return content, f"an encoder as a graph, {network.latent} numbers of {edge} voxels"
