"""How a graph is tried: on an image that its model might see."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from napari_sashiko.checkpoints import ModelCard
from napari_sashiko.exports._libraries import need
from napari_sashiko.exports._tracing import INPUT, Floats, Graph
from napari_sashiko.runners import Message
from napari_sashiko.volumes import TAILS

AGREES = 1e-4  # of probabilities, or of the contrast: what is rounding
USUAL = 3.0  # deviations from the mean that most grey values lie within
GAP = 4  # voxels of a gap in an image that tries a graph which fills gaps
LEVEL_FIRST = (
    "The model is one of separate pictures: clip each to its percentiles "
    f"{TAILS[0]:g} and {TAILS[1]:g}, take its mean off and divide by its standard "
    "deviation before the graph sees it."
)


def random_image(card: ModelCard, sizes: tuple[int, int, int], seed: int) -> Floats:
    """Grey values ``(1, C, Z, Y, X)`` of the range that a model knows.

    Where it fills gaps, there is one.
    """
    known = card.normalisation
    low, high, center, scale = (
        np.array(values, np.float32)[:, None, None, None]
        for values in (known.low, known.high, known.center, known.scale)
    )
    # Of a model that clips nothing, low and high are those of the numbers there are.
    low, high = (
        np.maximum(low, center - USUAL * scale),
        np.minimum(high, center + USUAL * scale),
    )
    shares = np.random.default_rng(seed).random((card.channels, *sizes), np.float32)
    image = np.asarray(low + shares * (high - low), np.float32)
    if card.restoring is not None and card.restoring.fills_gaps:
        image[..., 1 : 1 + GAP] = np.nan if known.missing is None else known.missing
    return image[np.newaxis]


def answers_of_file(content: bytes, names: Sequence[str], image: Floats) -> list[Any]:
    """What an ONNX file makes of an image, by the names of its outputs."""
    session = need("onnxruntime", "onnx").InferenceSession(
        content, providers=["CPUExecutionProvider"]
    )
    answers: list[Any] = session.run(list(names), {INPUT: image})
    return answers


def answer_of(graph: Graph, image: Floats) -> tuple[Floats, ...]:
    """What the module gives by its `outputs`."""
    with torch.inference_mode():
        return tuple(each.numpy() for each in graph(torch.from_numpy(image)))


def largest_difference(graph: Graph, content: bytes, image: Floats) -> float:
    """How far file and module are apart on an image, at most."""
    ours = answers_of_file(content, graph.outputs, image)
    pairs = zip(ours, answer_of(graph, image), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def remarks(card: ModelCard, difference: float, unit: str) -> Iterator[Message]:
    """Say how far a graph is from its model, in `unit`, and what it wants."""
    if difference > AGREES:
        yield Message(
            f"The graph differs from the model by up to {difference:.2g} in "
            f"{unit}: where a network takes places of maxima, rounding decides.",
            "warning",
        )
    if card.normalisation.levelled:
        yield Message(LEVEL_FIRST, "warning")
