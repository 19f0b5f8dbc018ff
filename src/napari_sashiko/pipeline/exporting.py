"""Which part of which result is exported, found by what lies at a path."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_sashiko.errors import OutputError, SettingsError
from napari_sashiko.exports import (
    Content,
    ExportDone,
    ExportSettings,
    export_image,
)
from napari_sashiko.labels import LabelClass
from napari_sashiko.pipeline.blocking import Report, run_to_end
from napari_sashiko.pipeline.found import open_instances
from napari_sashiko.pipeline.info import MODEL_INDEX, kind_of
from napari_sashiko.pipeline.results import (
    Prediction,
    Reconstructed,
    Restored,
    Result,
    open_result,
    open_sets,
)
from napari_sashiko.prediction import KINDS
from napari_sashiko.runners import Event
from napari_sashiko.volumes import Slices, Stacking, open_volume

PARTS = {
    "prediction": ("classes", "mean", "std"),
    "restored image": ("mean", "std"),
    "reconstruction": ("mean", "std", "fbp"),
    "instances": ("labels",),
    "sets": ("sizes",),
}
WORDS = {
    "prediction": "a prediction",
    "restored image": "a restored image",
    "reconstruction": "a reconstruction",
    "instances": "instances",
    "sets": "prediction sets",
}


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


def content_of(source: Path, settings: ExportSettings) -> Content:
    """Find what a part of a result is: array, type, voxel size, names.

    Raises
    ------
    SashikoError
        If there is no such result or part.
    """
    if not source.exists():
        raise OutputError(f"There is nothing at {source}.", "Check the spelling.")
    kind = kind_of(source)
    if kind not in PARTS:
        raise OutputError(
            f"{source} is not a result.",
            "Export a prediction, a restored image, a reconstruction, instances, sets "
            "or a model.",
        )
    part = _part(kind, settings)
    found = open_result(source) if kind in KINDS else None
    if settings.channel is not None and not isinstance(found, Restored):
        raise SettingsError(
            f"There are no channels to choose from in {WORDS[kind]}.",
            "Leave the channel out; of a prediction, choose a class.",
        )
    if isinstance(found, Prediction):
        return _prediction(found, part, settings)
    if settings.label_class is not None:
        raise SettingsError(
            f"There is no image for each class in {WORDS[kind]}.",
            "Leave the class out; of a restored image, choose a channel.",
        )
    if isinstance(found, Restored):
        return _restored(found, part, settings.channel)
    if isinstance(found, Reconstructed):
        return _reconstructed(found, settings)
    return _instances(source) if kind == "instances" else _sets(source)


def _part(kind: str, settings: ExportSettings) -> str:
    parts = PARTS[kind]
    if settings.part is None:
        named = kind == "prediction" and settings.label_class is not None
        return "mean" if named else parts[0]
    if settings.part not in parts:
        raise SettingsError(
            f"There is no part {settings.part!r} in {WORDS[kind]}.",
            f"Choose from: {', '.join(parts)}.",
        )
    return settings.part


def _check_finished(found: Result) -> None:
    if found.done < found.total:
        raise OutputError(
            f"Only {found.done} of {found.total} blocks of {found.path} are predicted.",
            "Start the prediction again: it goes on where it stopped.",
        )


def _prediction(found: Prediction, part: str, settings: ExportSettings) -> Content:
    _check_finished(found)
    names = tuple(each.name for each in found.classes)
    size = found.voxel_size[1 if found.stack.flat else 0 :]
    if part == "classes":
        if settings.label_class is not None:
            raise SettingsError(
                "The image of classes holds all of them.",
                "Leave the class out, or choose the part mean or std.",
            )
        return Content(
            path=found.path / "classes",
            title="Classes",
            array=found.class_ids,
            stack=found.stack,
            dtype="uint8",
            voxel_size=size,
            unit=found.unit,
            note=_legend(found.classes),
            largest=max(each.id for each in found.classes),
        )
    array, word = (
        (found.mean, "Probability") if part == "mean" else (found.std, "Deviation")
    )
    channel = _channel(found.classes, settings.label_class)
    what = "mean over the members" if part == "mean" else "deviation over the members"
    return Content(
        path=found.path / part,
        title=f"{word} of {'all classes' if channel is None else names[channel]}",
        array=array,
        stack=found.stack,
        dtype="float32",
        voxel_size=size,
        unit=found.unit,
        names=names if channel is None else (),
        channel=channel,
        note=f"Class probabilities, {what}, 0 to 1.",
    )


def _restored(found: Restored, part: str, wanted: int | None) -> Content:
    _check_finished(found)
    array = found.mean if part == "mean" else found.std
    count = Slices(array).shape[0]
    if wanted is not None and wanted > count:
        raise SettingsError(
            f"There is no channel {wanted} in {found.path}.",
            f"Choose from: {', '.join(map(str, range(1, count + 1)))}.",
        )
    names = tuple(f"channel {number}" for number in range(1, count + 1))
    channel = 0 if count == 1 else None if wanted is None else wanted - 1
    words = {"mean": "Restored image", "std": "Deviation of the restored image"}
    one = f", {names[channel]}" if count > 1 and channel is not None else ""
    return Content(
        path=found.path / part,
        title=words[part] + one,
        array=array,
        stack=found.stack,
        dtype="float32",
        voxel_size=found.voxel_size[1 if found.stack.flat else 0 :],
        unit=found.unit,
        names=names if channel is None else (),
        each="channel",
        channel=channel,
        note="Grey values.",
    )


def _reconstructed(found: Reconstructed, settings: ExportSettings) -> Content:
    _check_finished(found)
    first, *_ = found.images
    part = settings.part or first
    if part not in found.images:
        raise SettingsError(
            f"There is no part {part!r} in {found.path}.",
            f"Choose from: {', '.join(found.images)}.",
        )
    array = found.images[part]
    z, y, x = Slices(array).shape[-3:]
    words = {
        "mean": "Reconstruction by a model",
        "std": "Deviation of the reconstruction",
        "fbp": "Filtered back-projection",
    }
    return Content(
        path=found.path / part,
        title=words[part],
        array=array,
        stack=Stacking((z, y, x), flat=array.ndim == 3),
        dtype="float32",
        voxel_size=found.voxel_size[1 - array.ndim :],
        unit=found.unit,
        channel=0,
        note="Grey values.",
    )


def _channel(classes: Sequence[LabelClass], wanted: int | str | None) -> int | None:
    if wanted is None:
        return None
    for place, each in enumerate(classes):
        if wanted in (each.id, each.name):
            return place
    known = ", ".join(f"{each.id} {each.name}" for each in classes)
    raise SettingsError(f"There is no class {wanted!r}.", f"Choose from: {known}.")


def _legend(classes: Sequence[LabelClass]) -> str:
    return ", ".join(f"{each.id} {each.name}" for each in classes)


def _instances(source: Path) -> Content:
    found = open_instances(source)
    volume = open_volume(source / "labels")
    return Content(
        path=source / "labels",
        title=f"Instances of {found.class_name}",
        array=found.labels,
        stack=volume.stacking,
        dtype="uint32",
        voxel_size=volume.voxel_size[1 if volume.flat else 0 :],
        unit=volume.unit,
        note="0 is no object; others as in the table.",
    )


def _sets(source: Path) -> Content:
    found = open_sets(source)
    volume = open_volume(source / "sizes")
    return Content(
        path=source / "sizes",
        title="Sizes of prediction sets",
        array=found.sizes,
        stack=volume.stacking,
        dtype="uint8",
        voxel_size=volume.voxel_size[1 if volume.flat else 0 :],
        unit=volume.unit,
        note=f"How many classes a voxel may have, coverage {found.coverage:g}.",
        largest=len(found.classes),
    )
