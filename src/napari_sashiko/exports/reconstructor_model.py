"""A model that reconstructs as an ONNX graph: sinograms in, a slice of each out."""

from collections.abc import Generator
from pathlib import Path

from napari_sashiko.checkpoints import load_reconstructors
from napari_sashiko.exports._batches import Kind, batch_steps
from napari_sashiko.exports._graph import ReconstructorGraph
from napari_sashiko.runners import Event


def reconstructor_steps(model: Path) -> Generator[Event, None, tuple[bytes, str]]:
    """Turn a model that reconstructs into a graph: the file, and what it is in words.

    Yields
    ------
    Message, Progress

    Raises
    ------
    ModelError
        If ONNX cannot express it.
    """
    ensemble = load_reconstructors(model, "cpu")
    made = ensemble.made
    size = len(made.angles), made.detectors
    kind = Kind(
        name="sinograms",
        size=size,
        facts={"angles": made.angles, "detectors": made.detectors, "size": made.size},
        unit=max(made.target.scale),
        unit_name="shares of the contrast",
    )
    graph = ReconstructorGraph(ensemble).eval()
    content = yield from batch_steps(model, ensemble.card, graph, kind)
    count = len(ensemble.networks)
    what = (
        f"{count} network{'s' if count > 1 else ''} as one graph, sinograms of "
        f"{size[0]} angles x {size[1]} detectors to slices of {made.size} x {made.size}"
    )
    return content, what
