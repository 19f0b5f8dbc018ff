"""What a path is, in words and in numbers: model, prediction, project, image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.measurements import INDEX as MEASUREMENTS_INDEX
from napari_sashiko.measurements import lines_of, read_measurements
from napari_sashiko.metrics import SetCalibration
from napari_sashiko.pipeline.folder_classes import values_record
from napari_sashiko.pipeline.folder_results import INDEX as RESULTS_INDEX
from napari_sashiko.pipeline.folder_results import read_results
from napari_sashiko.pipeline.held_out import held_out_scores, score_lines
from napari_sashiko.pipeline.inputs import open_image
from napari_sashiko.pipeline.project import INDEX, Project
from napari_sashiko.pipeline.results import (
    open_prediction,
    open_reconstructed,
    open_restored,
)
from napari_sashiko.prediction import PREDICTION, RECONSTRUCTED, RESTORED
from napari_sashiko.volumes import DAMAGED, Slices, Stacking, Volume, reading

MODEL_INDEX = "model.json"


@dataclass(frozen=True)
class Description:
    """What a path is.

    Parameters
    ----------
    kind : str
        ``"model"``, ``"prediction"``, ``"restored image"``, ``"reconstruction"``,
        ``"instances"``,
        ``"sets"``, ``"measurements"``, ``"project"``, ``"pictures"`` or ``"image"``.
    lines : tuple of str
        For people.
    facts : dict
        The same as JSON.
    """

    kind: str
    lines: tuple[str, ...]
    facts: dict[str, Any]


def describe(
    path: Path | str, *, axes: str | None = None, level: int = 0
) -> Description:
    """Say what a path is.

    Parameters
    ----------
    path : path
        Model, prediction, project, ..., or an image.
    axes, level
        Of an image, as for `open_image`.

    Raises
    ------
    SashikoError
        If nothing is there, or it is damaged or of an unknown kind.
    """
    path = Path(path)
    if not path.exists():
        raise OutputError(f"There is nothing at {path}.", "Check the spelling.")
    folders = {
        MODEL_INDEX: _model,
        INDEX: _project,
        MEASUREMENTS_INDEX: _measurements,
        RESULTS_INDEX: _pictures,
    }
    for index, describe_folder in folders.items():
        if (path / index).exists():
            return describe_folder(path)
    record = own_record(path)
    kinds = {
        PREDICTION: _prediction,
        RESTORED: _restored,
        RECONSTRUCTED: _reconstructed,
    }
    if record.get("kind") in kinds:
        return kinds[record["kind"]](path)
    if record.get("kind") == "instances":
        with reading(f"The instances {path}", "Find them again."):
            return _instances(path, record)
    if record.get("kind") == "sets":
        with reading(f"The prediction sets {path}", "Write them again."):
            return _set_sizes(path, record)
    return _image(open_image(path, axes=axes, level=level))


def _model(path: Path) -> Description:
    from napari_sashiko.checkpoints import load_card  # noqa: PLC0415 - loads torch

    card = load_card(path)
    kinds = sorted({_kind(each) for each in card.members})
    lines = (
        f"Model {card.name!r}, made {card.created}",
        f"Members: {len(card.members)} ({', '.join(kinds)}), {card.dims}D",
        _made(card),
        (
            f"Image: {card.channels} channel(s), voxels of "
            f"{_sizes(card.voxel_size)} {card.unit}"
        ),
        *card.training.get("reasons", ()),
        *_quality(card),
    )
    facts = card.model_dump(mode="json", exclude={"members", "normalisation"})
    facts["members"] = [
        {"kind": _kind(each), "weight": each.weight} for each in card.members
    ]
    return Description("model", lines, facts)


def _made(card: Any) -> str:
    if card.reconstructing is not None:
        made = card.reconstructing
        return (
            f"Reconstructs slices of {made.size} x {made.size} from sinograms of "
            f"{len(made.angles)} angles x {made.detectors} detectors"
        )
    if card.exploring is not None:
        edge, latent = card.exploring.edge, card.exploring.latent
        shrink = card.exploring.shrink
        each = "" if shrink == 1 else f", each the mean of {shrink} x {shrink}"
        return f"Explores images: {latent} numbers of {edge} x {edge} voxels{each}"
    if card.restoring is None:
        return f"Classes: {_names(card.classes)}"
    made = "Fills gaps" if card.restoring.fills_gaps else "Restores images"
    settings = card.members[0].spec.get("settings", {})
    if "latent" not in settings:
        return made
    edge = " x ".join([str(settings["edge"])] * card.dims)
    return f"{made}, through {settings['latent']} numbers of {edge} voxels"


def _quality(card: Any) -> tuple[str, ...]:
    if card.exploring is not None:
        found = card.training.get("correlation", float("nan"))
        return (f"Held-out patches correlate with what is made of them: {found:.3f}",)
    if not card.classes:
        return ()
    scores = score_lines(held_out_scores(card.training))
    return (*scores, _sets(card.sets))


def _kind(member: Any) -> str:
    return str(member.spec.get("name", member.kind))


def _sets(sets: SetCalibration | None) -> str:
    if sets is None:
        return "Prediction sets: none, they were not calibrated"
    return (
        f"Prediction sets: calibrated on {sets.strokes} held-out strokes, enough for "
        f"coverages up to {max(sets.able, default=0):g}"
    )


def _prediction(path: Path) -> Description:
    found = open_prediction(path)
    lines = (
        (
            f"Prediction, {extent(found.stack)} of "
            f"{_sizes(found.voxel_size)} {found.unit}"
        ),
        f"Classes: {_names(found.classes)}",
        f"Blocks: {found.done} of {found.total} finished",
        f"Model: {found.model_digest[:12]}",
    )
    facts = {
        **_stacked(found.stack),
        "voxel_size": list(found.voxel_size),
        "unit": found.unit,
        "classes": [each.model_dump(mode="json") for each in found.classes],
        "done": found.done,
        "total": found.total,
        "model_digest": found.model_digest,
    }
    return Description("prediction", lines, facts)


def _restored(path: Path) -> Description:
    found = open_restored(path)
    lines = (
        (
            f"Restored image, {extent(found.stack)} of "
            f"{_sizes(found.voxel_size)} {found.unit}"
        ),
        f"Blocks: {found.done} of {found.total} finished",
        f"Model: {found.model_digest[:12]}",
    )
    facts = {
        **_stacked(found.stack),
        "channels": Slices(found.mean).shape[0],
        "voxel_size": list(found.voxel_size),
        "unit": found.unit,
        "done": found.done,
        "total": found.total,
        "model_digest": found.model_digest,
    }
    return Description("restored image", lines, facts)


def _reconstructed(path: Path) -> Description:
    found = open_reconstructed(path)
    shape = next(iter(found.images.values())).shape[1:]
    model = found.model_digest[:12] or "none, filtered back-projection alone"
    lines = (
        (
            f"Reconstruction, {' x '.join(map(str, shape))} voxels of "
            f"{_sizes(found.voxel_size)} {found.unit}"
        ),
        f"Images: {', '.join(found.images)}",
        (
            f"Angles: {len(found.angles)}, {min(found.angles):g} to "
            f"{max(found.angles):g} degrees"
        ),
        f"Blocks: {found.done} of {found.total} finished",
        f"Model: {model}",
    )
    facts = {
        "shape": list(shape),
        "images": list(found.images),
        "angles": list(found.angles),
        "voxel_size": list(found.voxel_size),
        "unit": found.unit,
        "done": found.done,
        "total": found.total,
        "model_digest": found.model_digest,
    }
    return Description("reconstruction", lines, facts)


def _instances(path: Path, record: dict[str, Any]) -> Description:
    labels = zarr.open_array(str(path / "labels" / "0"), mode="r")
    settings = record["settings"]
    lines = (
        (
            f"Instances of {record['class_name']!r}, "
            f"{' x '.join(map(str, labels.shape))} voxels"
        ),
        f"From: {record['prediction']}",
        "Settings: " + ", ".join(f"{key} {value}" for key, value in settings.items()),
    )
    return Description("instances", lines, {"shape": list(labels.shape), **record})


def _set_sizes(path: Path, record: dict[str, Any]) -> Description:
    sizes = zarr.open_array(str(path / "sizes" / "0"), mode="r")
    lines = (
        (
            f"Sizes of prediction sets, {' x '.join(map(str, sizes.shape))} voxels, "
            f"coverage {record['coverage']:g}"
        ),
        f"From: {record['prediction']}",
        (
            f"A class is in a set from a probability of {record['least']:.3g} on, as "
            f"{record['strokes']} held-out strokes say"
        ),
    )
    return Description("sets", lines, {"shape": list(sizes.shape), **record})


def _measurements(path: Path) -> Description:
    found = read_measurements(path)
    lines = (
        f"Measurements of {found.image!r} by {found.model!r}, made {found.created}",
        *lines_of(found),
    )
    facts = found.model_dump(mode="json", exclude={"members", "kind"})
    facts["members"] = [
        {"place": each.place, "kind": each.kind, "weight": each.weight}
        for each in found.members
    ]
    return Description("measurements", lines, facts)


def _pictures(path: Path) -> Description:
    found = read_results(path)
    count = len(list(path.glob(f"*{found.ending}")))
    rows = values_record(found.values, found.classes)
    listed = ", ".join(f"{row['value']} {row['name']}" for row in rows)
    lines = (
        f"Results of {count} pictures by the model {found.model!r}",
        "Restored images, float32" if found.restores else f"Values: {listed}",
        f"Pictures: {found.images}",
        *(f"No result: {name}: {why}" for name, why in found.problems),
    )
    facts = {
        "pictures": count,
        "model": found.model,
        "model_digest": found.digest,
        "classes": rows,
        "problems": dict(found.problems),
    }
    return Description("pictures", lines, facts)


def _project(path: Path) -> Description:
    project = Project.open(path)
    record = project.record
    rooms = {
        "models": project.models(),
        "predictions": project.predictions(),
        "instances": project.instances(),
        "measurements": project.measurements(),
    }
    lines = (
        f"Project {path.name}, made {record.created}",
        f"Image: {project.image or 'not known'}",
        f"Classes: {_names(record.classes) or 'none yet'}",
        *(f"{room.capitalize()}: {len(found)}" for room, found in rooms.items()),
        *(
            f"Last settings of {step}: "
            + ", ".join(f"{key} {value}" for key, value in values.items())
            for step, values in record.settings.items()
        ),
    )
    facts = record.model_dump(mode="json")
    facts |= {room: [each.name for each in found] for room, found in rooms.items()}
    return Description("project", lines, facts)


def _image(volume: Volume) -> Description:
    lines = (
        (
            f"Image {volume.name!r}, {extent(volume.stacking)} of "
            f"{_sizes(volume.voxel_size)} {volume.unit}"
        ),
        f"{volume.channels} channel(s), {volume.dtype}",
    )
    facts = {
        **_stacked(volume.stacking),
        "channels": volume.channels,
        "dtype": str(volume.dtype),
        "voxel_size": list(volume.voxel_size),
        "unit": volume.unit,
    }
    return Description("image", lines, facts)


def extent(stack: Stacking) -> str:
    """Say how large an image is, and at how many times it was taken."""
    time = stack.time
    sides = stack.on_disk if time is None else stack.on_disk[1:]
    size = f"{' x '.join(map(str, sides))} voxels"
    if time is None:
        return size
    apart = f" ({time.step:g} {time.unit} apart)" if time.unit else ""
    return f"{stack.count} time points{apart} of {size}"


def _stacked(stack: Stacking) -> dict[str, Any]:
    """Shape and axes as they lie on disk; what lies between two time points."""
    known: dict[str, Any] = {"shape": list(stack.on_disk), "axes": stack.axes}
    if stack.time is not None:
        known |= {"time_step": stack.time.step, "time_unit": stack.time.unit}
    return known


def kind_of(path: Path) -> str:
    """Say what this program wrote into a zarr folder; empty if that is not clear."""
    return str(own_record(path).get("kind", ""))


def own_record(path: Path) -> dict[str, Any]:
    """Read what this program wrote into a zarr folder; empty if nothing."""
    if not (path / "zarr.json").exists():
        return {}
    try:
        record: Any = zarr.open_group(str(path), mode="r").attrs.get("sashiko")
    except DAMAGED:
        return {}
    return record if isinstance(record, dict) else {}


def _names(classes: Any) -> str:
    return ", ".join(f"{each.id} {each.name}" for each in classes)


def _sizes(voxel_size: tuple[float, float, float]) -> str:
    return " x ".join(f"{size:g}" for size in voxel_size)
