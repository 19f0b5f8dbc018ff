"""From one path to everything that belongs to it: what a report is made of."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from napari_sashiko.errors import ModelError, OutputError
from napari_sashiko.instances import prediction_state
from napari_sashiko.labels import LabelClass
from napari_sashiko.pipeline.found import open_instances
from napari_sashiko.pipeline.info import MODEL_INDEX, own_record
from napari_sashiko.pipeline.inputs import STORE_INDEX
from napari_sashiko.pipeline.kept_models import kept_models
from napari_sashiko.pipeline.measured import ROOM, measured_in
from napari_sashiko.pipeline.project import INDEX, SUFFIX, Project, newest_first

MOST_ASKED = 20  # models whose weights are read to find the one that predicted


@dataclass(frozen=True)
class Sources:
    """Where the parts of a report lie; None for what there is not.

    Parameters
    ----------
    name : str
        What the report is about.
    project, model, prediction, instances, table : Path, optional
        Folders, and the CSV file of the objects.
    measurements : Path, optional
        Folder of numbers with error bars.
    image : path, array or Volume, optional
        The image.
    labels : path, array, LabelledVoxels, or callable, optional
        Sparse labels; a callable gives `PaintedLabels`, and is called when they are
        wanted.
    truth, ignore : path, array or Volume, optional
        Class ids to compare with, and voxels that are left out.
    classes : tuple of LabelClass
        Classes of the labels, where these do not say.
    remarks : tuple of str
        What is odd about what was found.
    """

    name: str
    project: Path | None = None
    model: Path | None = None
    prediction: Path | None = None
    instances: Path | None = None
    table: Path | None = None
    measurements: Path | None = None
    image: Any = None
    labels: Any = None
    truth: Any = None
    ignore: Any = None
    classes: tuple[LabelClass, ...] = ()
    remarks: tuple[str, ...] = ()


FOUND = ("name", "project", "classes", "remarks")  # never given, always found
GIVEN = tuple(field.name for field in fields(Sources) if field.name not in FOUND)


def find_sources(path: Path | str, **given: Any) -> Sources:
    """Find what belongs to a project, a model, a prediction or its objects.

    In a project, the newest of each kind is taken, and image and paint are known. What
    lies in no project is completed by what lies beside it.

    Parameters
    ----------
    path : path
        Project, model, prediction or instances.
    **given
        Those of `GIVEN` that are known better; None is not given.

    Raises
    ------
    OutputError
        If nothing is there, it is damaged, or of another kind; also if a path that is
        given does not exist.
    SettingsError
        As `Project.open`.
    """
    path = Path(path).absolute()
    if not path.exists():
        raise OutputError(f"There is nothing at {path}.", "Check the spelling.")
    known = {key: value for key, value in given.items() if value is not None}
    for key, value in known.items():
        if isinstance(value, str | Path):
            if not Path(value).exists():
                raise OutputError(f"There is no {key} at {value}.", "Check the path.")
            known[key] = Path(value).absolute()
    return replace(_complete(_found_at(path), known), **known)


def _found_at(path: Path) -> Sources:
    if (path / MODEL_INDEX).exists():
        return replace(_context(path), name=path.stem, model=path)
    if (path / INDEX).exists():
        return _of_project(path)
    record = own_record(path)
    if record.get("kind") == "prediction":
        return replace(_context(path), name=path.stem, prediction=path)
    if record.get("kind") == "instances":
        prediction = _predicted_from(path, record)
        found = replace(_context(path), name=path.stem, instances=path)
        return replace(found, prediction=prediction)
    raise OutputError(
        f"{path} is neither a project, nor a model, a prediction or its objects.",
        "Give the folder of one of these.",
    )


def _of_project(path: Path) -> Sources:
    project = Project.open(path)
    return replace(
        _context(path / "models" / "any"),
        name=path.stem,
        model=next(iter(project.models()), None),
        prediction=next(iter(project.predictions()), None),
    )


def _context(path: Path) -> Sources:
    """Image and paint of the project that a result lies in, if it lies in one."""
    folder = path.parent.parent
    if folder.suffix != SUFFIX or not (folder / INDEX).exists():
        return Sources("")
    project = Project.open(folder)
    image = project.image
    remarks: tuple[str, ...] = ()
    if image is not None and not image.exists():
        remarks = (f"The image of the project is not at {image} any more.",)
        image = None
    labels = folder / "labels"
    painted = (labels / STORE_INDEX).exists()
    return Sources(
        "",
        project=folder,
        image=image,
        labels=labels if painted else None,
        classes=project.record.classes,
        remarks=remarks,
    )


def _complete(found: Sources, known: dict[str, Any]) -> Sources:
    """Add the model of a prediction, its objects and their table."""
    prediction = known.get("prediction", found.prediction)
    if prediction is None:
        return found
    if "model" not in known:
        model = _model_of(prediction, found.model)
        if model is None and found.model is not None:
            text = f"The prediction {prediction.name} was made by another model."
            found = replace(found, remarks=(*found.remarks, text))
        found = replace(found, model=model or found.model)
    instances = known.get("instances", found.instances) or _instances_of(prediction)
    found = replace(found, instances=instances)
    if instances is not None and is_outdated(instances, prediction):
        text = f"The objects {instances.name} were found in an earlier prediction."
        found = replace(found, remarks=(*found.remarks, text))
    table, odd = _table_of(instances, prediction)
    remarks = (*found.remarks, odd) if odd else found.remarks
    measured = measured_in(_rooms(prediction, ROOM), prediction, instances)
    return replace(found, table=table, measurements=measured, remarks=remarks)


def _table_of(instances: Path | None, prediction: Path) -> tuple[Path | None, str]:
    """Table of the objects, and what is wrong with it."""
    if instances is None:
        table = prediction.with_suffix(".csv")
        return (table if table.is_file() else None), ""
    try:
        found = open_instances(instances)
    except OutputError as error:
        return None, str(error)
    return found.table, found.odd


def _model_of(prediction: Path, likely: Path | None) -> Path | None:
    """Find the model that made a prediction, in its project or beside it."""
    from napari_sashiko.checkpoints import model_digest  # noqa: PLC0415 - loads torch

    wanted = own_record(prediction).get("model_digest")
    places = [
        path
        for folder in _rooms(prediction, "models")
        for path in newest_first(folder, f"*/{MODEL_INDEX}")
    ]
    if likely is not None:
        places = [likely, *(place for place in places if place != likely)]
    for model in (*places[:MOST_ASKED], *kept_models(prediction)):
        try:
            if model_digest(model) == wanted:
                return model
        except ModelError:  # damaged: then it is not the one
            continue
    return None


def _instances_of(prediction: Path) -> Path | None:
    """Find the newest objects of a prediction, in its project or beside it."""
    places = [
        path
        for folder in _rooms(prediction, "instances")
        for path in newest_first(folder, "*.zarr/zarr.json")
    ]
    found = [place for place in places if _is_of(place, prediction)]
    current = [place for place in found if not is_outdated(place, prediction)]
    return next(iter(current or found), None)


def _is_of(place: Path, prediction: Path) -> bool:
    record = own_record(place)
    if record.get("kind") != "instances":
        return False
    # By name: both may have been moved together.
    return Path(str(record.get("prediction"))).name == prediction.name


def is_outdated(instances: Path, prediction: Path) -> bool:
    """Whether objects were found in an earlier state of a prediction of this name.

    Of objects that do not say in which state, nobody knows.
    """
    record, known = own_record(instances), own_record(prediction)
    if "state" not in record or not known or not _is_of(instances, prediction):
        return False
    try:
        found = prediction_state(prediction, known)
    except OutputError:  # damaged: told by whoever reads it
        return False
    *made, done, _ = found
    *made_then, done_then, _ = record["state"]
    # Fewer cells than then are damage to the prediction, of which objects know nothing.
    return bool(made != made_then or done > done_then)


def _predicted_from(path: Path, record: dict[str, Any]) -> Path | None:
    """Find the prediction that objects were found in."""
    noted = Path(str(record.get("prediction")))
    places = [noted, *(each / noted.name for each in _rooms(path, "predictions"))]
    return next((each for each in places if each != path and each.exists()), None)


def _rooms(path: Path, room: str) -> list[Path]:
    """Folders in which results that belong together lie: beside, or in a project."""
    project = path.parent.parent
    return [path.parent, *([project / room] if project.suffix == SUFFIX else [])]
