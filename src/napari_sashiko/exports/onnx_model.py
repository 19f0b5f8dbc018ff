"""A model as one ONNX graph: grey values in, what its networks say of these out."""

import json
import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from napari_sashiko.checkpoints import (
    ModelCard,
    NetworkMember,
    load_card,
    load_ensemble,
)
from napari_sashiko.errors import ModelError
from napari_sashiko.exports._batches import STEPS
from napari_sashiko.exports._graph import EnsembleGraph, Voice
from napari_sashiko.exports._sewing import FEWEST
from napari_sashiko.exports._tracing import (
    check_size,
    facts_of,
    need_packages,
    onnx_of,
    state_facts,
)
from napari_sashiko.exports._trial import largest_difference, random_image, remarks
from napari_sashiko.exports.encoder_model import encoder_steps
from napari_sashiko.exports.events import ExportDone
from napari_sashiko.exports.image import check_target, said
from napari_sashiko.exports.reconstructor_model import reconstructor_steps
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.volumes import check_writable, written_file

ONNX_ENDING = ".onnx"
LONGEST = 4096  # in multiples of what pooling asks for
Shape = tuple[int, int, int]


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
    fewest : (int, int, int)
        Least number of such multiples (z, y, x).
    levels : bool
        Whether it levels pictures itself.
    """

    content: bytes
    opset: int
    card: ModelCard
    graph: EnsembleGraph
    align: Shape
    halo: Shape
    fewest: Shape
    levels: bool = False


def export_onnx(model: Path, out: Path, *, overwrite: bool = False) -> Iterator[Event]:
    """Write the networks of a model and their weighted mean as one ONNX graph.

    A model that explores becomes its encoder: ``image`` is patches ``(B, C, Y, X)`` of
    the size that it knows, ``latent`` is ``(B, latent)``. Of one that reconstructs,
    ``image`` is sinograms ``(B, 1, angles, detectors)`` of the size that it knows,
    ``mean`` and ``std`` are their slices ``(B, 1, size, size)``.

    Of others, ``image`` is ``(1, C, Z, Y, X)`` float32 in grey values, outputs ``mean``
    and, where there are several networks, ``std`` are ``(1, K, Z, Y, X)``,
    probabilities or restored grey values; Z, Y and X are free multiples of ``align``,
    which stands in the file beside the least size, classes and voxel size. Of a model
    of separate pictures the input is what `LevelledVolume` makes of these, and the file
    says so: a graph that may be given a part of a picture cannot know the percentiles
    of all of it. Where a model fills gaps, they are not finite in the input, or have
    the model's missing value.

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
    need_packages()
    card = load_card(model)
    if card.exploring is not None:
        content, what = yield from encoder_steps(model)
    elif card.reconstructing is not None:
        content, what = yield from reconstructor_steps(model)
    else:
        traced = yield from trace_model(model)
        content, what = traced.content, words(traced)
    with said(target), written_file(target) as file:
        file.write(content)
    yield Progress(STEPS, STEPS, "exporting")
    seconds = time.perf_counter() - start
    yield ExportDone(str(target), what, target.stat().st_size, seconds)


def words(traced: Traced) -> str:
    """Say what a graph is, for people."""
    count = len(traced.graph.networks)
    align = " x ".join(map(str, traced.align))
    return (
        f"{count} network{'s' if count > 1 else ''} as one graph, sizes are multiples "
        f"of {align} (z, y, x)"
    )


def trace_model(model: Path, *, levels: bool = False) -> Generator[Event, None, Traced]:
    """Turn a model into a graph and compare what both say.

    Parameters
    ----------
    model : Path
        Model folder.
    levels : bool
        Whether the graph is to level pictures itself, where the model sees them
        levelled; otherwise it is given such ones.

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
    need_packages()
    yield Progress(0, STEPS, "exporting")
    ensemble = load_ensemble(model, "cpu")
    voices, left_out = _voices(ensemble)
    yield from _left_out(left_out, voices, model)
    card, levels = ensemble.card, levels and ensemble.card.normalisation.levelled
    graph = EnsembleGraph(card, voices, levels=levels).eval()
    if levels:  # to whoever uses the graph, the model is one of grey values
        known = card.normalisation.model_copy(update={"levelled": False})
        card = card.model_copy(update={"normalisation": known})
    check_size(graph, model)
    align, halo = _reach(voices)
    fewest = _fewest(voices)
    image = random_image(card, _sizes(align, fewest), 0)
    proto = onnx_of(graph, image, _free(align, fewest))
    facts = {"multiple_of_zyx": align, "least_zyx": _least(align, fewest)}
    stated = {name: json.dumps(fact) for name, fact in facts.items()}
    state_facts(proto, facts_of(card) | stated)
    content: bytes = proto.SerializeToString()
    yield Progress(1, STEPS, "exporting")
    traced = Traced(
        content=content,
        opset=next(each.version for each in proto.opset_import if not each.domain),
        card=card,
        graph=graph,
        align=align,
        halo=halo,
        fewest=fewest,
        levels=levels,
    )
    unit = "probability" if card.restoring is None else "shares of the contrast"
    yield from remarks(card, _difference(traced), unit)
    yield Progress(2, STEPS, "exporting")
    return traced


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


def _reach(
    voices: list[Voice],
) -> tuple[Shape, Shape]:
    members = [NetworkMember(v.network, neighbours=v.neighbours) for v in voices]
    align = [math.lcm(*(each.align[axis] for each in members)) for axis in range(3)]
    halo = [max(each.halo[axis] for each in members) for axis in range(3)]
    return (align[0], align[1], align[2]), (halo[0], halo[1], halo[2])


def _fewest(voices: list[Voice]) -> tuple[int, int, int]:
    """Least number of multiples of what pooling asks for (z, y, x)."""
    sewn = any(each.network.squeezes for each in voices)
    planes = FEWEST if sewn else 1
    solid = sewn and any(each.network.dims == 3 for each in voices)
    slices = max(1, *(each.neighbours for each in voices))
    return max(slices, FEWEST if solid else 1), planes, planes


def _least(align: Shape, fewest: Shape) -> Shape:
    """Smallest image (z, y, x)."""
    z, y, x = (a * blocks for a, blocks in zip(align, fewest, strict=True))
    return z, y, x


def _sizes(align: Shape, fewest: Shape) -> Shape:
    """Small sizes that pooling allows, no two alike if possible.

    Two blocks along each axis at least: tracing takes a length of 1 for a fixed one.
    """
    z, y, x = (
        max(2, -(-least // a), blocks) * a
        for a, least, blocks in zip(align, (4, 8, 8), fewest, strict=True)
    )
    return z, y, x + align[2]


def _free(align: Shape, fewest: Shape) -> dict[int, Any]:
    """Axes of space, with the lengths that they may have."""
    free = {}
    for axis, name in enumerate("zyx"):
        part = torch.export.Dim(f"blocks_{name}", min=fewest[axis], max=LONGEST)
        free[axis + 2] = part if align[axis] == 1 else align[axis] * part
    return free


def _difference(traced: Traced) -> float:
    """Largest difference of graph and module, at a size that was not traced.

    In probability, or in shares of the contrast of what is restored.
    """
    z, y, x = traced.align
    sizes = _sizes(traced.align, traced.fewest)
    image = random_image(traced.card, (sizes[0] + z, sizes[1] + y, sizes[2] + 2 * x), 1)
    restoring = traced.card.restoring
    unit = 1.0 if restoring is None else max(restoring.target.scale)
    return largest_difference(traced.graph, traced.content, image) / unit
