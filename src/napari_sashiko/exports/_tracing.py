"""A module as an ONNX file, and the facts in it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_sashiko.checkpoints import ModelCard
from napari_sashiko.errors import ModelError
from napari_sashiko.exports._filling import translations
from napari_sashiko.exports._libraries import need, quiet

INPUT = "image"
MOST_BYTES = 1_900_000_000  # of weights: a graph in one file has less than 2 GiB
FAILURES = (RuntimeError, ValueError, TypeError, NotImplementedError)
Floats = NDArray[np.float32]


class Graph(Protocol):
    """A module that says what it returns and whose networks are in it."""

    networks: nn.ModuleList

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what it returns."""
        ...

    def __call__(self, image: Tensor) -> tuple[Tensor, ...]:
        """What a model makes of grey values."""
        ...


def onnx_of(graph: Graph, image: Floats, free: Mapping[int, Any]) -> Any:
    """Write a module as a graph of ONNX.

    Parameters
    ----------
    graph : Graph
        A module in evaluation mode.
    image : numpy.ndarray
        Something that it takes.
    free : mapping of int
        Axes of `image` that may have other lengths, and which.

    Raises
    ------
    ModelError
        If ONNX cannot express it.
    """
    module: Any = graph
    try:
        with torch.no_grad(), quiet():
            program: Any = torch.onnx.export(
                module,
                (torch.from_numpy(image),),
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=list(graph.outputs),
                dynamic_shapes=(dict(free),),
                custom_translation_table=translations(),
            )
    except FAILURES as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        names = sorted({str(network.name) for network in graph.networks})
        raise ModelError(
            f"A network of {', '.join(names)} cannot be written as ONNX: {lines[0]}."
        ) from error
    return program.model_proto


def state_facts(proto: Any, facts: dict[str, str]) -> None:
    """Write facts into a graph, where programs find them."""
    need("onnx", "onnx").helper.set_model_props(proto, facts)


def facts_of(card: ModelCard) -> dict[str, str]:
    """What a graph says of its model."""
    restoring = card.restoring
    missing = card.normalisation.missing
    return {
        "model": card.name,
        "classes": json.dumps({each.id: each.name for each in card.classes}),
        "restores": json.dumps(restoring is not None),
        "fills_gaps": json.dumps(restoring is not None and restoring.fills_gaps),
        "missing": json.dumps(missing),
        "voxel_size_zyx": json.dumps(card.voxel_size),
        "unit": card.unit,
        "levelled": json.dumps(card.normalisation.levelled),
    }


def check_size(graph: Graph, model: Path) -> None:
    """Refuse a model that one file cannot hold.

    Raises
    ------
    ModelError
        If it is too large.
    """
    parameters = graph.networks.parameters()
    size = sum(each.numel() * each.element_size() for each in parameters)
    if size > MOST_BYTES:
        raise ModelError(
            f"The networks of {model} have {size / 1e9:.1f} GB, an ONNX file holds "
            f"{MOST_BYTES / 1e9:.1f} GB.",
            "Train fewer or smaller networks.",
        )


def need_packages() -> None:
    """Refuse to begin without the packages that write and try graphs.

    Raises
    ------
    OutputError
        If one is not installed.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        need(package, "onnx")
