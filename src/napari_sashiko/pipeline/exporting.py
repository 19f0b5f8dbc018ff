"""Results and models for other programs, found by what lies at a path."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.errors import OutputError, SettingsError
from napari_sashiko.exports import (
    IMAGE_ENDINGS,
    ExportDone,
    ExportSettings,
    export_image,
)
from napari_sashiko.pipeline.blocking import Report, run_to_end
from napari_sashiko.pipeline.export_content import content_of, contents
from napari_sashiko.pipeline.info import MODEL_INDEX
from napari_sashiko.runners import Event

MODEL_ENDINGS = (".onnx", ".zip")  # a package of bioimage.io


@dataclass(frozen=True)
class Exportable:
    """Something that can be written for other programs.

    Parameters
    ----------
    what : str
        In words.
    source : Path
        Of the result or the model.
    settings : mapping
        Fields of `ExportSettings` that choose it.
    endings : tuple of str
        Of the files that it can be written to.
    """

    what: str
    source: Path
    settings: Mapping[str, Any]
    endings: tuple[str, ...]


def exportables(source: Path | str) -> tuple[Exportable, ...]:
    """Say what of a result or a model can be written, for whoever lets users choose.

    Raises
    ------
    SashikoError
        If there is nothing that can, or it is not finished.
    """
    path = Path(source)
    if (path / MODEL_INDEX).exists():
        endings = _model_endings(path)
        offer = Exportable(f"Model {path.stem}", path, {}, endings)
        return (offer,) if endings else ()
    return tuple(
        Exportable(content.title, path, chosen, IMAGE_ENDINGS)
        for chosen, content in contents(path)
    )


def export_steps(
    source: Path | str, out: Path | str, settings: ExportSettings | None = None
) -> Iterator[Event]:
    """Write a result or a model to a file of another program; closing leaves no file.

    Parameters
    ----------
    source : path
        Folder NAME.zarr of a finished prediction, of another image, instances or
        prediction sets; or a model folder.
    out : path
        File; its ending decides the format: ``.tif`` or ``.mrc``; of a model ``.onnx``
        or ``.zip``, a package for bioimage.io.
    settings : ExportSettings, optional
        Part, class; authors and license of a package.

    Yields
    ------
    Event
        `Progress`, `Message`, `ExportDone`.

    Raises
    ------
    SashikoError
        If there is no such result or part, the format cannot hold it, or the file
        cannot be written.
    """
    chosen = settings or ExportSettings()
    if (Path(source) / MODEL_INDEX).exists():
        yield from _model_steps(Path(source), Path(out), chosen)
        return
    content = content_of(Path(source), chosen)
    if Path(out).suffix.lower() == ".zarr":
        raise OutputError(
            f"{source} is OME-Zarr already.",
            f"Each folder in it is an image, such as {content.path}.",
        )
    yield from export_image(content, Path(out), overwrite=chosen.overwrite)


def export(
    source: Path | str,
    out: Path | str,
    *,
    report: Report | None = None,
    **settings: Any,
) -> ExportDone:
    """Write a result or a model to a file of another program.

    Parameters
    ----------
    source : path
        Folder NAME.zarr of a finished prediction, of another image, instances or
        prediction sets; or a model folder.
    out : path
        File; its ending decides the format: ``.tif`` or ``.mrc``; of a model ``.onnx``
        or ``.zip``, a package for bioimage.io.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `ExportSettings`, e.g. ``part="mean"``, ``label_class="fibre"``.

    Raises
    ------
    SashikoError
        If there is no such result or part, the format cannot hold it, or the file
        cannot be written.
    """
    chosen = ExportSettings.checked(**settings)
    return run_to_end(export_steps(source, out, chosen), ExportDone, report)


def _model_endings(model: Path) -> tuple[str, ...]:
    """Endings of files that a model can be written to."""
    try:  # as it stands there: to check all of it loads torch
        card = json.loads((model / MODEL_INDEX).read_text(encoding="utf-8"))
        kinds = {member["kind"] for member in card["members"]}
        if "network" not in kinds:
            return ()  # forests are in no other program's words
        # The words of bioimage.io have none for these.
        graph_only = card.get("exploring") or card.get("reconstructing")
        return MODEL_ENDINGS[:1] if graph_only else MODEL_ENDINGS
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return MODEL_ENDINGS  # damaged: told in words by whoever writes it


def _model_steps(model: Path, out: Path, settings: ExportSettings) -> Iterator[Event]:
    from napari_sashiko.exports.bioimage import (  # noqa: PLC0415 - loads torch
        PACKAGE_ENDING,
        export_package,
    )
    from napari_sashiko.exports.onnx_model import (  # noqa: PLC0415
        ONNX_ENDING,
        export_onnx,
    )

    if settings.part is not None or settings.label_class is not None:
        raise SettingsError(
            "A model has no parts to choose from.", "Leave part and class out."
        )
    ending = out.suffix.lower()
    if ending == ONNX_ENDING:
        yield from export_onnx(model, out, overwrite=settings.overwrite)
    elif ending == PACKAGE_ENDING:
        yield from export_package(model, out, settings)
    else:
        raise OutputError(
            f"A model cannot be written as {out.name}.",
            f"Choose a name that ends in {ONNX_ENDING}, or in {PACKAGE_ENDING} for a "
            "package of bioimage.io.",
        )
