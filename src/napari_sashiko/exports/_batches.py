"""Graphs that take any number of things of one size: patches, sinograms."""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_sashiko.checkpoints import ModelCard
from napari_sashiko.exports._tracing import (
    Floats,
    Graph,
    check_size,
    facts_of,
    onnx_of,
    state_facts,
)
from napari_sashiko.exports._trial import largest_difference, random_image, remarks
from napari_sashiko.runners import Event, Progress

STEPS = 3  # of the progress
MOST = 65_536  # in one go


@dataclass(frozen=True)
class Kind:
    """What such a graph takes.

    Parameters
    ----------
    name : str
        Of what it takes, in the plural.
    size : (int, int)
        Of each.
    facts : mapping
        What the file says beside what all models say.
    unit : float
        Divides differences.
    unit_name : str
        What they are then, in words.
    """

    name: str
    size: tuple[int, int]
    facts: Mapping[str, Any]
    unit: float
    unit_name: str


def batch_steps(
    model: Path, card: ModelCard, graph: Graph, kind: Kind
) -> Generator[Event, None, bytes]:
    """Write a graph and compare what file and module say, of another number of things.

    Yields
    ------
    Message, Progress

    Raises
    ------
    ModelError
        If ONNX cannot express it, or a file cannot hold it.
    """
    yield Progress(0, STEPS, "exporting")
    check_size(graph, model)
    count = torch.export.Dim(kind.name, min=1, max=MOST)
    proto = onnx_of(graph, _trial(card, kind, 2), {0: count})
    facts = {name: json.dumps(fact) for name, fact in kind.facts.items()}
    state_facts(proto, facts_of(card) | facts)
    content: bytes = proto.SerializeToString()
    yield Progress(1, STEPS, "exporting")
    difference = largest_difference(graph, content, _trial(card, kind, 3)) / kind.unit
    yield from remarks(card, difference, kind.unit_name)
    yield Progress(2, STEPS, "exporting")
    return content


def _trial(card: ModelCard, kind: Kind, count: int) -> Floats:
    """So many things ``(count, C, *size)``: slices of a random image."""
    image = random_image(card, (count, *kind.size), seed=count)
    return np.ascontiguousarray(image[0].swapaxes(0, 1))
