"""The steps as plain functions that return when all is done: the Python interface."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from napari_sashiko.instances import InstancesDone, InstanceSettings
from napari_sashiko.measurements import Measurements, read_measurements
from napari_sashiko.pipeline.folder_labels import FolderSettings
from napari_sashiko.pipeline.inputs import Classes
from napari_sashiko.pipeline.looking import place_steps
from napari_sashiko.pipeline.measure_events import MeasureDone
from napari_sashiko.pipeline.measure_settings import MeasureSettings
from napari_sashiko.pipeline.measuring import measure_steps
from napari_sashiko.pipeline.scoring import ResultScored, score_prediction_steps
from napari_sashiko.pipeline.sources import GIVEN
from napari_sashiko.pipeline.steps import (
    instance_steps,
    predict_steps,
    set_steps,
    train_steps,
)
from napari_sashiko.prediction import (
    Evaluation,
    PlacesFound,
    PlacesSettings,
    PredictionDone,
    PredictionSettings,
    SetsDone,
    SetSettings,
)
from napari_sashiko.runners import Event

if TYPE_CHECKING:  # loads torch or matplotlib: only who needs them pays
    from napari_sashiko.pipeline.reporting import ReportDone
    from napari_sashiko.training import TrainingDone, TrainingSettings

Report = Callable[[Event], None]
Done = TypeVar("Done", bound=Event)


def train(
    image: Any,
    labels: Any,
    out: Path | str,
    *,
    classes: Classes = None,
    start: Path | str | None = None,
    folder: Mapping[str, Any] | None = None,
    report: Report | None = None,
    **settings: Any,
) -> "TrainingDone":
    """Train an ensemble on sparse labels and write the model folder.

    Parameters
    ----------
    image : path, array or Volume
        The image, ``([Z,] Y, X)``; or a folder of pictures with their labels.
    labels : path, array or Volume, or None
        Integers of the image's shape, 0 is not labelled; None for a folder of pictures
        that has labels in it.
    out : path
        Model folder, ``NAME.sashiko-model``.
    classes : sequence of LabelClass or str, optional
        Names in the order of the ids; None takes what lies beside the labels.
    start : path, optional
        Model whose networks go on learning, also of another image.
    folder : mapping, optional
        Fields of `FolderSettings`, e.g. ``{"unlabelled": "none"}``.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `TrainingSettings`, e.g. ``minutes=2``, ``members=5``, ``seed=1``.

    Returns
    -------
    TrainingDone
        Path, held-out scores and seconds.

    Raises
    ------
    SashikoError
        If image, labels, settings or output cannot be used.
    """
    from napari_sashiko.training import TrainingDone  # noqa: PLC0415 - loads torch

    chosen = training_settings(**settings)
    how = FolderSettings.checked(**folder) if folder else None
    steps = train_steps(image, labels, classes, chosen, out, start=start, folder=how)
    return run_to_end(steps, TrainingDone, report)


def predict(
    model: Path | str,
    image: Any,
    out: Path | str,
    *,
    report: Report | None = None,
    **settings: Any,
) -> PredictionDone:
    """Segment a whole volume into ``NAME.zarr``; goes on where it stopped.

    Parameters
    ----------
    model : path
        Model folder.
    image : path, array or Volume
        The image; of a folder of pictures, those that are damaged are left out.
    out : path
        Folder for mean, std and classes.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `PredictionSettings`, e.g. ``device="cpu"``, ``overwrite=True``.

    Returns
    -------
    PredictionDone
        Path and seconds; in ``problems`` pictures of a folder that were left out.

    Raises
    ------
    SashikoError
        If model, image, settings or output cannot be used.
    """
    chosen = PredictionSettings.checked(**settings)
    return run_to_end(predict_steps(model, image, out, chosen), PredictionDone, report)


def segment_instances(
    prediction: Path | str,
    out: Path | str,
    *,
    table: Path | str | None = None,
    report: Report | None = None,
    **settings: Any,
) -> InstancesDone:
    """Find and measure the objects of one class of a prediction.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr of a prediction.
    out : path
        Folder NAME.zarr for the labels.
    table : path, optional
        CSV file of measurements.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `InstanceSettings`, e.g. ``label_class="fibre"``, ``dust="100 um^3"``.

    Raises
    ------
    SashikoError
        If prediction, settings or output cannot be used.
    """
    chosen = InstanceSettings.checked(**settings)
    return run_to_end(
        instance_steps(prediction, out, chosen, table), InstancesDone, report
    )


def prediction_sets(
    prediction: Path | str,
    out: Path | str,
    coverage: float = 0.9,
    *,
    report: Report | None = None,
    **settings: Any,
) -> SetsDone:
    """Write how many classes each voxel of a prediction may have.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr of a finished prediction.
    out : path
        Folder NAME.zarr for the sizes of the sets.
    coverage : float
        Share of voxels like those of held-out strokes whose set holds the true class;
        one of 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98 and 0.99.
    report : callable, optional
        Called with each event on the way.
    **settings
        Other fields of `SetSettings`, e.g. ``runner="serial"``.

    Raises
    ------
    SashikoError
        If prediction, settings or output cannot be used, or the prediction's model was
        not calibrated.
    """
    chosen = SetSettings.checked(coverage=coverage, **settings)
    return run_to_end(set_steps(prediction, out, chosen), SetsDone, report)


def measure(
    model: Path | str,
    image: Any,
    out: Path | str,
    *,
    report: Report | None = None,
    **settings: Any,
) -> Measurements:
    """Measure a volume, each number with the spread over the members of a model.

    Each member segments the volume alone; goes on where it stopped.

    Parameters
    ----------
    model : path
        Model folder.
    image : path, array or Volume
        The image.
    out : path
        Folder for the tables.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `MeasureSettings`, which are those of `PredictionSettings` and of
        `InstanceSettings`, e.g. ``label_class="fibre"``, ``dust="100 um^3"``.

    Returns
    -------
    Measurements
        Each number a `Spread` of ``mean`` and ``std``, e.g. ``.count.std``,
        ``.fraction("void").mean``, ``.size("length", "median").mean``.

    Raises
    ------
    SashikoError
        If model, image, settings or output cannot be used.
    """
    chosen = MeasureSettings.checked(**settings)
    done = run_to_end(measure_steps(model, image, out, chosen), MeasureDone, report)
    return read_measurements(done.path)


def evaluate(prediction: Path | str, truth: Any, *, ignore: Any = None) -> Evaluation:
    """Score a prediction against the truth.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr of a finished prediction.
    truth : path, array or Volume
        Class ids 1..C; 0 is not scored.
    ignore : path, array or Volume, optional
        Voxels that are not 0 here are not scored, for example the strokes.

    Raises
    ------
    SashikoError
        If there is no finished prediction, or shapes or classes do not fit.
    """
    steps = score_prediction_steps(prediction, truth, ignore=ignore)
    scores = run_to_end(steps, ResultScored, None).scores
    return cast("Evaluation", scores)


def report(
    path: Path | str,
    out: Path | str | None = None,
    *,
    report: Report | None = None,
    **options: Any,
) -> "ReportDone":
    """Write one page about a project, a model, a prediction or its objects.

    Parameters
    ----------
    path : path
        What it is about. What belongs to it is found in its project or beside it.
    out : path, optional
        The page, ``NAME.html``, or a folder for single figures. In the folder
        ``plots`` of the project when left out.
    report : callable, optional
        Called with each event on the way.
    **options
        What is known better than it can be found: ``model``, ``prediction``,
        ``instances``, ``table``, ``measurements``, ``image``, ``labels``, ``truth``,
        ``ignore``; and fields of `ReportSettings`, e.g. ``format="pdf"``,
        ``figures=["lengths"]``.

    Returns
    -------
    ReportDone
        Where it is, which figures were drawn, and why others were not.

    Raises
    ------
    SashikoError
        If nothing is there, or the output cannot be written.
    """
    from napari_sashiko.pipeline.reporting import (  # noqa: PLC0415 - loads matplotlib
        ReportDone,
        ReportSettings,
        report_steps,
    )

    given = {key: options.pop(key) for key in GIVEN if key in options}
    chosen = ReportSettings.checked(**options)
    return run_to_end(report_steps(path, out, chosen, **given), ReportDone, report)


def find_places(
    source: Path | str,
    image: Any,
    labels: Any = None,
    *,
    report: Report | None = None,
    **settings: Any,
) -> PlacesFound:
    """List places where a model is unsure, and strokes that it disagrees with.

    Parameters
    ----------
    source : path
        Model folder; or the folder NAME.zarr of a finished prediction, which is read
        faster than a model predicts.
    image : path, array or Volume
        The image.
    labels : path, array or Volume, optional
        The strokes: nothing near to them is listed as unsure.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `PlacesSettings`, e.g. ``count=50``, ``seconds=60``, ``seed=1``.

    Returns
    -------
    PlacesFound
        ``unsure`` and ``disagrees``, each from the highest score down; ``places`` is
        both, as rows for a table.

    Raises
    ------
    SashikoError
        If source, image, labels or settings cannot be used.
    """
    chosen = PlacesSettings.checked(**settings)
    return run_to_end(place_steps(source, image, labels, chosen), PlacesFound, report)


def training_settings(**values: Any) -> "TrainingSettings":
    """Check training settings; who says how many epochs means no limit in minutes.

    Raises
    ------
    SettingsError
        If a name is unknown or a value is out of range.
    """
    from napari_sashiko.training import TrainingSettings  # noqa: PLC0415 - loads torch

    return TrainingSettings.checked(**without_limit(values))


def without_limit(values: dict[str, Any]) -> dict[str, Any]:
    """Take away the limit in minutes where epochs are given."""
    by_epochs = values.get("epochs") is not None and "minutes" not in values
    return {**values, "minutes": None} if by_epochs else values


def run_to_end(steps: Iterator[Event], kind: type[Done], report: Report | None) -> Done:
    """Run all steps; whatever stops them on the way, the generator saves its work."""
    with contextlib.closing(steps):  # type: ignore[type-var]
        for event in steps:
            if report is not None:
                report(event)
            if isinstance(event, kind):
                done = event
        return done
