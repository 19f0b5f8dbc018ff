"""A model as one ONNX graph: grey values in, mean and deviation of its networks out."""

import json
import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.checkpoints import ModelCard, NetworkMember, load_ensemble
from napari_sashiko.errors import ModelError
from napari_sashiko.exports._graph import EnsembleGraph, Voice
from napari_sashiko.exports._libraries import need, quiet
from napari_sashiko.exports.events import ExportDone
from napari_sashiko.exports.image import check_target, said
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.volumes import TAILS, check_writable, written_file

ONNX_ENDING = ".onnx"
INPUT = "image"
AGREES = 1e-4  # of probabilities, or of the contrast: what is rounding
MOST_BYTES = 1_900_000_000  # of weights: a graph in one file has less than 2 GiB
LONGEST = 4096  # in multiples of what pooling asks for
USUAL = 3.0  # deviations from the mean that most grey values lie within
STEPS = 3  # of the progress
LEVEL_FIRST = (
    "The model is one of separate pictures: clip each to its percentiles "
    f"{TAILS[0]:g} and {TAILS[1]:g}, take its mean off and divide by its standard "
    "deviation before the graph sees it."
)
FAILURES = (RuntimeError, ValueError, TypeError, NotImplementedError)


@dataclass(frozen=True)
class Traced:
    """A model as a graph.

    Parameters
    ----------
    content : bytes
        The ONNX file.
    opset : int
        Version of the operators in it.
    card : ModelCard
        What the model is.
    graph : EnsembleGraph
        The same as a module.
    align : (int, int, int)
        Sizes (z, y, x) of an image are multiples of this.
    halo : (int, int, int)
        Voxels (z, y, x) at the faces of an image that lack surroundings.
    fewest : int
        Least number of slices.
    """

    content: bytes
    opset: int
    card: ModelCard
    graph: EnsembleGraph
    align: tuple[int, int, int]
    halo: tuple[int, int, int]
    fewest: int


def export_onnx(model: Path, out: Path, *, overwrite: bool = False) -> Iterator[Event]:
    """Write the networks of a model and their weighted mean as one ONNX graph.

    Input ``image`` is ``(1, C, Z, Y, X)`` float32 in grey values, outputs ``mean`` and,
    where there are several networks, ``std`` are ``(1, K, Z, Y, X)``, probabilities or
    restored grey values; Z, Y and X are free multiples of ``align``, which stands in
    the file beside classes and voxel size. Of a model of separate pictures the input is
    what `LevelledVolume` makes of these, and the file says so: a graph that may be
    given a part of a picture cannot know the percentiles of all of it.

    Parameters
    ----------
    model : Path
        Model folder.
    out : Path
        File ``NAME.onnx``.
    overwrite : bool
        Whether a file that is there may be replaced.

    Yields
    ------
    Message, Progress, ExportDone

    Raises
    ------
    ModelError
        If it has no network, or one that ONNX cannot express.
    OutputError
        If a package is missing, or the file cannot be written.
    """
    start = time.perf_counter()
    target = out.absolute()
    check_target(target, overwrite=overwrite)
    check_writable(target)
    traced = yield from trace_model(model)
    with said(target), written_file(target) as file:
        file.write(traced.content)
    yield Progress(STEPS, STEPS, "exporting")
    yield ExportDone(
        str(target), words(traced), target.stat().st_size, time.perf_counter() - start
    )


def words(traced: Traced) -> str:
    """Say what a graph is, for people."""
    count = len(traced.graph.networks)
    align = " x ".join(map(str, traced.align))
    return (
        f"{count} network{'s' if count > 1 else ''} as one graph, sizes are multiples "
        f"of {align} (z, y, x)"
    )


def trace_model(model: Path) -> Generator[Event, None, Traced]:
    """Turn a model into a graph and compare what both say.

    Yields
    ------
    Message, Progress

    Raises
    ------
    ModelError
        If it has no network, or one that ONNX cannot express.
    OutputError
        If a package is missing.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        need(package, "onnx")
    yield Progress(0, STEPS, "exporting")
    ensemble = load_ensemble(model, "cpu")
    restoring = ensemble.card.restoring
    if restoring is not None and restoring.fills_gaps:
        raise ModelError(
            f"The model {model} fills gaps beginning with a rough filling, which the "
            "graph cannot.",
            "Export the image that it restores.",
        )
    voices, left_out = _voices(ensemble)
    yield from _left_out(left_out, voices, model)
    if any(each.network.squeezes for each in voices):
        raise ModelError(
            f"Networks of {model} make patches again that are sewn together, which the "
            "graph cannot.",
            "Restore with another network, such as tunet, and export that.",
        )
    graph = EnsembleGraph(ensemble.card, voices).eval()
    _check_size(graph, model)
    align, halo = _reach(voices)
    fewest = max(1, *(each.neighbours for each in voices))
    proto = _exported(graph, ensemble.card, align, fewest)
    _describe(proto, ensemble.card, align)
    content: bytes = proto.SerializeToString()
    yield Progress(1, STEPS, "exporting")
    traced = Traced(
        content=content,
        opset=next(each.version for each in proto.opset_import if not each.domain),
        card=ensemble.card,
        graph=graph,
        align=align,
        halo=halo,
        fewest=fewest,
    )
    difference = _difference(traced)
    unit = "probability" if restoring is None else "shares of the contrast"
    if difference > AGREES:
        yield Message(
            f"The graph differs from the model by up to {difference:.2g} in "
            f"{unit}: where a network takes places of maxima, rounding decides.",
            "warning",
        )
    if traced.card.normalisation.levelled:
        yield Message(LEVEL_FIRST, "warning")
    yield Progress(2, STEPS, "exporting")
    return traced


def random_image(
    card: ModelCard, sizes: tuple[int, int, int], seed: int
) -> NDArray[np.float32]:
    """Grey values ``(1, C, Z, Y, X)`` of the range that a model knows."""
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
    return np.asarray(low + shares * (high - low), np.float32)[np.newaxis]


def answer_of(
    graph: EnsembleGraph, image: NDArray[np.float32]
) -> tuple[NDArray[np.float32], ...]:
    """What the module gives by its `outputs`, ``(1, K, Z, Y, X)``."""
    with torch.inference_mode():
        return tuple(each.numpy() for each in graph(torch.from_numpy(image)))


def _voices(ensemble: Any) -> tuple[list[Voice], list[tuple[int, float]]]:
    """Networks with weights that sum to 1, and places and weights of all others."""
    pairs = zip(ensemble.members, ensemble.card.members, strict=True)
    numbered = [(n, member, card.weight) for n, (member, card) in enumerate(pairs, 1)]
    counting = [each for each in numbered if each[2] > 0]
    networks = [each for each in counting if isinstance(each[1], NetworkMember)]
    left_out = [
        (number, weight)
        for number, member, weight in counting
        if not isinstance(member, NetworkMember)
    ]
    total = sum(weight for _, _, weight in networks)
    voices = [
        Voice(member.network.eval(), member.neighbours, weight / total)
        for _, member, weight in networks
    ]
    return voices, left_out


def _left_out(
    left_out: list[tuple[int, float]], voices: list[Voice], model: Path
) -> Iterator[Message]:
    if not voices:
        raise ModelError(
            f"The model {model} is a random forest only, which cannot be exported.",
            "Train it with networks: --members 3.",
        )
    for number, weight in left_out:
        yield Message(
            f"Member {number}, a random forest of weight {weight:.3g}, cannot be "
            "exported and is left out: the weights of the networks are raised to sum "
            "to 1, and probabilities differ from those of the model.",
            "warning",
        )


def _check_size(graph: EnsembleGraph, model: Path) -> None:
    size = sum(each.numel() * each.element_size() for each in graph.parameters())
    if size > MOST_BYTES:
        raise ModelError(
            f"The networks of {model} have {size / 1e9:.1f} GB, an ONNX file holds "
            f"{MOST_BYTES / 1e9:.1f} GB.",
            "Train fewer or smaller networks.",
        )


def _reach(
    voices: list[Voice],
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    members = [NetworkMember(v.network, neighbours=v.neighbours) for v in voices]
    align = [math.lcm(*(each.align[axis] for each in members)) for axis in range(3)]
    halo = [max(each.halo[axis] for each in members) for axis in range(3)]
    return (align[0], align[1], align[2]), (halo[0], halo[1], halo[2])


def _sizes(align: tuple[int, int, int], fewest: int) -> tuple[int, int, int]:
    """Small sizes that pooling allows, no two alike if possible."""
    z, y, x = (a * -(-least // a) for a, least in zip(align, (4, 8, 8), strict=True))
    return max(z, fewest), y, x + align[2]


def _exported(
    graph: EnsembleGraph, card: ModelCard, align: tuple[int, int, int], fewest: int
) -> Any:
    image = torch.from_numpy(random_image(card, _sizes(align, fewest), 0))
    free = {}
    for axis, (name, multiple) in enumerate(zip("zyx", align, strict=True), start=2):
        least = fewest if axis == 2 else 1
        part = torch.export.Dim(f"blocks_{name}", min=least, max=LONGEST)
        free[axis] = part if multiple == 1 else multiple * part
    try:
        with torch.no_grad(), quiet():
            program: Any = torch.onnx.export(
                graph,
                (image,),
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=list(graph.outputs),
                dynamic_shapes=(free,),
            )
    except FAILURES as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        names = sorted({str(network.name) for network in graph.networks})
        raise ModelError(
            f"A network of {', '.join(names)} cannot be written as ONNX: {lines[0]}."
        ) from error
    return program.model_proto


def _describe(proto: Any, card: ModelCard, align: tuple[int, int, int]) -> None:
    facts = {
        "model": card.name,
        "classes": json.dumps({each.id: each.name for each in card.classes}),
        "restores": json.dumps(card.restoring is not None),
        "voxel_size_zyx": json.dumps(card.voxel_size),
        "unit": card.unit,
        "multiple_of_zyx": json.dumps(align),
        "levelled": json.dumps(card.normalisation.levelled),
    }
    need("onnx", "onnx").helper.set_model_props(proto, facts)


def _difference(traced: Traced) -> float:
    """Largest difference of graph and module, at a size that was not traced.

    In probability, or in shares of the contrast of what is restored.
    """
    z, y, x = traced.align
    sizes = _sizes(traced.align, traced.fewest)
    image = random_image(traced.card, (sizes[0] + z, sizes[1] + y, sizes[2] + 2 * x), 1)
    session = need("onnxruntime", "onnx").InferenceSession(
        traced.content, providers=["CPUExecutionProvider"]
    )
    ours = session.run(list(traced.graph.outputs), {INPUT: image})
    theirs = answer_of(traced.graph, image)
    restoring = traced.card.restoring
    unit = 1.0 if restoring is None else max(restoring.target.scale)
    pairs = zip(ours, theirs, strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs) / unit
