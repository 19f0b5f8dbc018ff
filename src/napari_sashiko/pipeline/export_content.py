"""What a part of a result is that can be exported: array, type, voxel size, names."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_sashiko.errors import OutputError, SettingsError
from napari_sashiko.exports import Content, ExportSettings
from napari_sashiko.labels import LabelClass
from napari_sashiko.pipeline.found import open_instances
from napari_sashiko.pipeline.info import kind_of
from napari_sashiko.pipeline.results import (
    Prediction,
    Reconstructed,
    Restored,
    Result,
    open_result,
    open_sets,
)
from napari_sashiko.prediction import KINDS
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


def content_of(source: Path, settings: ExportSettings) -> Content:
    """Find what a part of a result is: array, type, voxel size, names.

    Raises
    ------
    SashikoError
        If there is no such result or part.
    """
    kind, found = _opened(source)
    return _content(source, kind, found, settings)


def contents(source: Path) -> Iterator[tuple[dict[str, Any], Content]]:
    """All that can be exported of a result, with the settings that choose it.

    Raises
    ------
    SashikoError
        If there is no such result, or it is not finished.
    """
    kind, found = _opened(source)
    for part in PARTS[kind]:
        if isinstance(found, Reconstructed) and part not in found.images:
            continue
        for single in _singles(found, part):
            chosen = {"part": part, **single}
            settings = ExportSettings.checked(**chosen)
            yield chosen, _content(source, kind, found, settings)


def _singles(found: Any, part: str) -> list[dict[str, Any]]:
    """All in one image, then each class, or each channel of several, alone."""
    if isinstance(found, Prediction) and part != "classes":
        return [{}, *({"label_class": each.id} for each in found.classes)]
    count = Slices(found.mean).shape[0] if isinstance(found, Restored) else 1
    return [{}, *({"channel": n} for n in range(1, count + 1) if count > 1)]


def _opened(source: Path) -> tuple[str, Any]:
    """Kind of a result, and the open result where it was written block by block."""
    if not source.exists():
        raise OutputError(f"There is nothing at {source}.", "Check the spelling.")
    kind = kind_of(source)
    if kind not in PARTS:
        raise OutputError(
            f"{source} is not a result.",
            "Export a prediction, a restored image, a reconstruction, instances, sets "
            "or a model.",
        )
    return kind, open_result(source) if kind in KINDS else None


def _content(source: Path, kind: str, found: Any, settings: ExportSettings) -> Content:
    part = _part(kind, settings)
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
