"""Which measurement belongs to a prediction, and to some objects in it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_sashiko.errors import SashikoError
from napari_sashiko.instances import InstanceSettings, chosen_class
from napari_sashiko.labels import LabelClass
from napari_sashiko.measurements import INDEX, Measurements, read_measurements
from napari_sashiko.pipeline.info import own_record
from napari_sashiko.pipeline.project import newest_first

CLASSES = ("label_class", "boundary_class")
ROOM = "measurements"
OF_AN_ENSEMBLE = "minus_std"  # a member alone has no deviation


def measurements_like(
    project: Path | str,
    prediction: Path | str,
    settings: InstanceSettings | Mapping[str, Any],
) -> Measurements | None:
    """Find the newest measurement by the same model, of the same objects.

    Parameters
    ----------
    project : path
        Folder NAME.sashiko whose measurements are looked through.
    prediction : path
        Folder NAME.zarr.
    settings : InstanceSettings or mapping
        What is an object; a mapping is what instances keep of them.

    Returns
    -------
    Measurements or None
        None if nothing like it was measured. Damaged ones are passed over: whoever
        reopens the project says which these are.
    """
    wanted = settings if isinstance(settings, Mapping) else settings.record()
    if isinstance(settings, InstanceSettings) and settings.label_class is None:
        label, _ = chosen_class(Path(prediction), settings)
        wanted = {**wanted, "label_class": label}
    same = (
        found
        for _, found in _by_the_same_model([Path(project) / ROOM], Path(prediction))
        if _same_objects(found, wanted)
    )
    return next(same, None)


def measured_in(
    folders: Iterable[Path], prediction: Path, instances: Path | None
) -> Path | None:
    """Find the newest measurement by the same model.

    Parameters
    ----------
    folders : iterable of Path
        Where measurements lie.
    prediction : Path
        Folder NAME.zarr.
    instances : Path or None
        What is measured of these very objects comes first.
    """
    places = list(_by_the_same_model(folders, prediction))
    if instances is not None:
        places.sort(key=lambda each: not are_of(each[1], instances))  # stays in order
    return next((place for place, _ in places), None)


def are_of(measured: Measurements, instances: Path) -> bool:
    """Whether these very objects were measured, or found with the same settings."""
    record = own_record(instances)
    wanted = {**record.get("settings", {}), "label_class": record.get("class_id")}
    return _same_objects(measured, wanted)


def _by_the_same_model(
    folders: Iterable[Path], prediction: Path
) -> Iterator[tuple[Path, Measurements]]:
    record = own_record(prediction)
    for folder in folders:
        for place in newest_first(folder, f"*/{INDEX}"):
            with suppress(SashikoError):
                found = read_measurements(place)
                if _is_of(found, record):
                    yield place, found


def _is_of(found: Measurements, record: Mapping[str, Any]) -> bool:
    made = found.model_digest, found.image_digest
    return made == (record.get("model_digest"), record.get("input_digest"))


def _same_objects(found: Measurements, wanted: Mapping[str, Any]) -> bool:
    one, other = (_numbered(each, found.classes) for each in (found.settings, wanted))
    keys = set(wanted) - {OF_AN_ENSEMBLE}
    return all(one.get(key) == other[key] for key in keys)


def _numbered(
    values: Mapping[str, Any], classes: Sequence[LabelClass]
) -> dict[str, Any]:
    """Settings with ids for the names of classes."""
    ids = {each.name: each.id for each in classes}
    return {
        key: ids.get(value, value) if key in CLASSES else value
        for key, value in values.items()
    }
