"""A model as a package of bioimage.io, tested by that library's own runner."""

import contextlib
import gc
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.checkpoints import ModelCard, load_card
from napari_sashiko.errors import ModelError
from napari_sashiko.exports._libraries import need
from napari_sashiko.exports._tracing import INPUT
from napari_sashiko.exports._trial import answer_of, random_image
from napari_sashiko.exports.events import ExportDone
from napari_sashiko.exports.image import check_target, said
from napari_sashiko.exports.onnx_model import (
    Traced,
    trace_model,
    words,
)
from napari_sashiko.exports.settings import ExportSettings
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.volumes import check_writable, long_unit, written_file

PACKAGE_ENDING = ".zip"
EXTRA = "bioimageio"
CITED = {
    "text": "Roberts et al., DLSIA: Deep Learning for Scientific Image Analysis",
    "doi": "10.48550/arXiv.2308.02559",
}
TAGS = ("ensemble", "uncertainty")
OF_CLASSES = ("semantic-segmentation", "sparse-labels")
OF_IMAGES = ("image-restoration", "denoising")
OF_GAPS = ("image-restoration", "inpainting")
MOST_NAME = 128  # characters
README = """# {name}

{task} by {count}, trained {how} with napari-sashiko.

Input: grey values (1, C, Z, Y, X), voxels of {size} {unit} (z, y, x); sizes are
multiples of {align}.

Output `mean`: {what}; `std`, of several networks: its standard deviation over these.

{channels}

## Validation

Test images and answers are in the package, which passed the tests of bioimageio.core
when it was written. How good the model is on an image is for its user to say: compare
some slices with what you see.
"""


def export_package(model: Path, out: Path, settings: ExportSettings) -> Iterator[Event]:
    """Write the networks of a model with test images and a description, as a zip.

    Parameters
    ----------
    model : Path
        Model folder.
    out : Path
        File ``NAME.zip``.
    settings : ExportSettings
        Authors, license, whether a file that is there may be replaced.

    Yields
    ------
    Message, Progress, ExportDone

    Raises
    ------
    ModelError
        If the model cannot be exported, or the library finds fault with the package.
    OutputError
        If a package is missing, or the file cannot be written.
    """
    start = time.perf_counter()
    target = out.absolute()
    check_target(target, overwrite=settings.overwrite)
    check_writable(target)
    for package in ("bioimageio.spec", "bioimageio.core"):
        need(package, EXTRA)
    card = load_card(model)
    if card.exploring is not None:
        raise ModelError(
            f"The model {model} makes numbers of patches: programs of bioimage.io want "
            "images.",
            "Export it as ONNX.",
        )
    if card.reconstructing is not None:
        raise ModelError(
            f"The model {model} makes slices of sinograms: programs of bioimage.io "
            "want images.",
            "Export it as ONNX.",
        )
    # Preprocessing there measures pictures before they are clipped: the graph levels.
    traced = yield from trace_model(model, levels=True)
    yield from _wishes(settings)
    with said(target), tempfile.TemporaryDirectory() as folder, _closing_files():
        packed = _packed(traced, Path(folder), settings)
        yield Progress(1, 2, "testing the package")
        _test(packed)
        yield Progress(2, 2, "testing the package")
        with written_file(target) as file, packed.open("rb") as content:
            shutil.copyfileobj(content, file)
    seconds = time.perf_counter() - start
    what = f"{words(traced)}, in a package that passed the tests of bioimage.io"
    yield ExportDone(str(target), what, target.stat().st_size, seconds)


@contextlib.contextmanager
def _closing_files() -> Iterator[None]:
    """Collect what the library left open: Windows removes no folder of open files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            gc.collect()


def _wishes(settings: ExportSettings) -> Iterator[Message]:
    lacking = [
        name
        for name, value in (("author", settings.authors), ("license", settings.license))
        if not value
    ]
    if lacking:
        yield Message(
            f"The package names no {' and no '.join(lacking)}: collections of models "
            "ask for them.",
            "warning",
        )


def _packed(traced: Traced, place: Path, settings: ExportSettings) -> Path:
    """Write graph, test images and text, and put them together."""
    spec: Any = need("bioimageio.spec", EXTRA)
    kinds: Any = need("bioimageio.spec.model.v0_5", EXTRA)
    _write_files(traced, place)
    description = _description(traced, place, settings)
    try:
        described = kinds.ModelDescr(**description)
        packed = spec.save_bioimageio_package(
            described, output_path=place / "package.zip"
        )
    except ValueError as error:  # pydantic's are such
        raise _refused(str(error)) from error
    return Path(packed)


def _test(package: Path) -> None:
    """Let the library load the package, run it, and compare.

    Raises
    ------
    ModelError
        If it finds fault.
    """
    summary: Any = need("bioimageio.core", EXTRA).test_model(package, devices=["cpu"])
    if summary.status != "passed":
        found = [e.msg for detail in summary.details for e in detail.errors]
        raise _refused("; ".join(found) or str(summary.status))


def _refused(reason: str) -> ModelError:
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return ModelError(f"bioimage.io refuses the package: {' '.join(lines[:4])}.")


def _write_files(traced: Traced, place: Path) -> None:
    (place / "model.onnx").write_bytes(traced.content)
    image = random_image(traced.card, _least_sizes(traced), seed=0)
    np.save(place / "image.npy", image)
    for name, array in zip(
        traced.graph.outputs, answer_of(traced.graph, image), strict=True
    ):
        np.save(place / f"{name}.npy", array)
    (place / "README.md").write_text(_readme(traced), encoding="utf-8")


def _least_sizes(traced: Traced) -> tuple[int, int, int]:
    """Smallest image (z, y, x) that has a voxel with all its surroundings."""
    z, y, x = (
        a * max(-(-(2 * halo + 1) // a), blocks)
        for a, halo, blocks in zip(
            traced.align, traced.halo, traced.fewest, strict=True
        )
    )
    return z, y, x


def _description(
    traced: Traced, place: Path, settings: ExportSettings
) -> dict[str, Any]:
    card = traced.card
    name = re.sub(r"[^\w+\- ()]", " ", card.name).strip() or "model"
    more = {} if settings.license is None else {"license": settings.license}
    return {
        "name": name[:MOST_NAME],
        "description": _does(card),
        "authors": [{"name": each} for each in settings.authors],
        "cite": [CITED],
        "tags": [*_tags(card), *TAGS, f"{card.dims}d"],
        "documentation": {"source": place / "README.md"},
        "inputs": [_input(traced, place)],
        "outputs": [_output(traced, place, name) for name in traced.graph.outputs],
        "weights": {
            "onnx": {
                "source": place / "model.onnx",
                "opset_version": traced.opset,
            }
        },
        **more,
    }


def _tags(card: ModelCard) -> tuple[str, ...]:
    if card.restoring is None:
        return OF_CLASSES
    return OF_GAPS if card.restoring.fills_gaps else OF_IMAGES


def _does(card: ModelCard) -> str:
    if card.restoring is not None and card.restoring.fills_gaps:
        return (
            "Fills gaps of images; learned from images like them with napari-sashiko."
        )
    if card.restoring is not None:
        return "Restores images; learned from images like them with napari-sashiko."
    names = ", ".join(each.name for each in card.classes)
    learned = "learned from a few strokes with napari-sashiko"
    return f"Segments volumes into {names}; {learned}."


def _output_channels(card: ModelCard) -> list[str]:
    if card.restoring is not None:
        return _numbered(len(card.restoring.target.scale))
    return [each.name for each in card.classes]


def _numbered(channels: int) -> list[str]:
    return [f"channel {n + 1}" for n in range(channels)]


def _input(traced: Traced, place: Path) -> dict[str, Any]:
    channels = _numbered(traced.card.channels)
    pairs = zip(_least_sizes(traced), traced.align, strict=True)
    sizes = [{"min": least, "step": step} for least, step in pairs]
    return {
        "id": INPUT,
        "description": _takes(traced),
        "axes": _axes(traced, channels, sizes),
        "data": {"type": "float32"},
        "test_tensor": {"source": place / f"{INPUT}.npy"},
    }


def _takes(traced: Traced) -> str:
    card = traced.card
    words = "Grey values as they are: the model normalises them itself"
    if traced.levels:
        return f"{words}, each slice by what it is given of it: give it whole pictures."
    if card.restoring is None or not card.restoring.fills_gaps:
        return f"{words}."
    missing = card.normalisation.missing
    gaps = "not finite" if missing is None else f"not finite, or {missing:g}"
    return f"{words}; gaps are {gaps}."


def _output(traced: Traced, place: Path, name: str) -> dict[str, Any]:
    restores = traced.card.restoring is not None
    what = "Restored grey values" if restores else "Probability of each class"
    meaning = {
        "mean": f"{what}: weighted mean over the networks.",
        "std": "Weighted standard deviation of the same over the networks.",
    }
    sizes = [{"tensor_id": INPUT, "axis_id": axis} for axis in "zyx"]
    axes = _axes(traced, _output_channels(traced.card), sizes)
    for axis, halo in zip(axes[2:], traced.halo, strict=True):
        if halo:
            axis["halo"] = halo
    return {
        "id": name,
        "description": meaning[name],
        "axes": axes,
        "data": {"type": "float32"},
        "test_tensor": {"source": place / f"{name}.npy"},
    }


def _axes(
    traced: Traced, channels: list[str], sizes: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    card = traced.card
    known = card.unit != "pixel"
    return [
        {"type": "batch", "size": 1},
        {"type": "channel", "channel_names": channels},
        *(
            {
                "type": "space",
                "id": axis,
                "size": size,
                "scale": voxel if known else 1.0,
                "unit": long_unit(card.unit) if known else None,
            }
            for axis, size, voxel in zip("zyx", sizes, card.voxel_size, strict=True)
        ),
    ]


def _readme(traced: Traced) -> str:
    card = traced.card
    size = " x ".join(f"{each:g}" for each in card.voxel_size)
    align = " x ".join(map(str, traced.align))
    count = len(traced.graph.networks)
    named = enumerate(_output_channels(card))
    channels = [f"- channel {number}: {name}" for number, name in named]
    if card.restoring is None:
        task, how, what = (
            "Semantic segmentation",
            "on a few strokes",
            "probability of each class",
        )
    else:
        task, how, what = (
            "Restoring of images",
            "on the image itself or beside a clean one",
            "restored grey values",
        )
    return README.format(
        task=task,
        how=how,
        what=what,
        name=card.name,
        count=f"{count} network{'s' if count > 1 else ''}",
        size=size,
        unit=card.unit,
        align=align,
        channels="\n".join(channels),
    )
