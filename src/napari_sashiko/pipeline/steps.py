"""The steps of a run, generators of events: train, predict, instances, sets."""

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sashiko.errors import OutputError, SettingsError
from napari_sashiko.instances import InstancesDone, InstanceSettings, segment_instances
from napari_sashiko.labels import LabelledVoxels, check_labels
from napari_sashiko.pipeline.folder_labels import (
    FolderSettings,
    folder_input,
    labelled_folder,
)
from napari_sashiko.pipeline.folder_volume import image_to_look_at, with_problems
from napari_sashiko.pipeline.heritage import go_on_from, known_image
from napari_sashiko.pipeline.inputs import (
    Classes,
    open_image,
    read_paint,
    size_warning,
)
from napari_sashiko.pipeline.levels import with_levels
from napari_sashiko.pipeline.noting import note_run
from napari_sashiko.pipeline.sharing import readable_by_all
from napari_sashiko.prediction import (
    PredictionDone,
    PredictionSettings,
    PredictionStarted,
    SetsDone,
    SetSettings,
    predict,
    prediction_sets,
)
from napari_sashiko.runners import Event, Message
from napari_sashiko.volumes import check_writable

if TYPE_CHECKING:  # loads torch: only who trains pays
    from napari_sashiko.training import (
        Heritage,
        LearningSettings,
        Painting,
        TrainingSettings,
    )


def train_steps(
    image: Any,
    labels: Any,
    classes: Classes,
    settings: "TrainingSettings | None",
    out: Path | str,
    *,
    start: Path | str | None = None,
    folder: FolderSettings | None = None,
) -> Iterator[Event]:
    """Train an ensemble on sparse labels; closing keeps the best weights so far.

    Parameters
    ----------
    image : path, array or Volume
        The image; or a folder of pictures with their labels.
    labels : path, array, Volume or LabelledVoxels, or None
        Sparse labels of the image's shape. Labels from outside are checked and what
        is odd about them is said; ``LabelledVoxels`` were checked by the caller. None
        where `image` is a folder of pictures that has labels in it.
    classes : sequence of LabelClass or str, or None
        Names of the classes; None takes what lies beside the labels.
    settings : TrainingSettings or None
        None takes the defaults.
    out : path
        Model folder; made when missing.
    start : path, optional
        Model whose networks go on learning, also of another image; its classes are
        found again by their names.
    folder : FolderSettings, optional
        How labels in a folder of pictures are read; only without `labels`.

    Yields
    ------
    Event
        `TrainingStarted`, `EpochDone`, `MemberSaved`, `TrainingDone`, `Message`,
        `Progress`.

    Raises
    ------
    SashikoError
        If image, labels, settings or output cannot be used.
    """
    from napari_sashiko.training import (  # noqa: PLC0415 - loads torch
        TrainingSettings,
        TrainingStarted,
        train,
    )

    chosen = settings or TrainingSettings.checked()
    target = Path(out)
    check_model_folder(target)
    check_parts(chosen)
    if labels is None:
        place = labelled_folder(image)
        found = yield from folder_input(place, classes, folder, seed=chosen.seed)
        volume, paint, origin = found.volume, found.paint, found.origin
    elif folder is not None:
        raise SettingsError(
            "How labels of a folder of pictures are read was said (unlabelled, "
            "pixels), and labels were given.",
            "Leave it out: 0 is not labelled.",
        )
    else:
        volume, origin = open_image(image), None
        paint = read_paint(labels, classes, volume)
    if not isinstance(labels, LabelledVoxels):
        for text in check_labels(paint.labelled, volume.stacking, paint.classes):
            yield Message(text, "warning")
        if text := size_warning(paint, volume):
            yield Message(text, "warning")
    heritage: Sequence[Heritage] = ()
    if start is not None:
        chosen, heritage = go_on_from(Path(start), chosen)
        yield from known_image(Path(start), volume)
    yield from noted(
        train(
            volume,
            paint.labelled,
            paint.classes,
            chosen,
            target,
            heritage=heritage,
            origin=origin,
        ),
        TrainingStarted,
        partial(
            note_run,
            target,
            "train",
            chosen,
            volume=volume,
            classes=paint.classes,
        ),
    )


def live_steps(
    image: Any,
    painting: "Painting",
    settings: "TrainingSettings | None",
    out: Path | str,
    *,
    start: Path | str | None = None,
) -> Iterator[Event]:
    """Train while the paint goes on changing, until the generator is closed.

    Parameters
    ----------
    image, settings, out, start
        As in `train_steps`.
    painting : Painting
        Paint that may change at any time.

    Yields
    ------
    Event
        `TrainingWaits`, `TrainingStarted`, `EpochDone`, `MemberSaved`,
        `TrainingRested`, `Message`.

    Raises
    ------
    SashikoError
        If image, settings or output cannot be used.
    """
    from napari_sashiko.training import (  # noqa: PLC0415 - loads torch
        TrainingSettings,
        TrainingStarted,
        train_live,
    )

    chosen = settings or TrainingSettings.checked()
    target = Path(out)
    check_model_folder(target)
    check_parts(chosen)
    volume = open_image(image)
    heritage: Sequence[Heritage] = ()
    if start is not None:
        chosen, heritage = go_on_from(Path(start), chosen)
        yield from known_image(Path(start), volume)
    yield from noted(
        train_live(volume, painting, chosen, target, heritage=heritage),
        TrainingStarted,
        lambda: note_run(
            target, "train", chosen, volume=volume, classes=painting.read()[1]
        ),
    )


def predict_steps(
    model: Path | str,
    image: Any,
    out: Path | str,
    settings: PredictionSettings | None = None,
) -> Iterator[Event]:
    """Segment a whole volume; the same call goes on where it stopped.

    Parameters
    ----------
    model : path
        Model folder.
    image : path, array or Volume
        The image; of a folder of pictures, those that are damaged are left out.
    out : path
        Folder NAME.zarr.
    settings : PredictionSettings, optional
        Windows, runner, device.

    Yields
    ------
    Event
        `PredictionStarted`, `CellDone`, `PredictionDone`, `Message`, `Progress`,
        `Tick`.

    Raises
    ------
    SashikoError
        If model, image, settings or output cannot be used.
    """
    from napari_sashiko.checkpoints import load_card  # noqa: PLC0415 - loads torch

    chosen = settings or PredictionSettings()
    load_card(Path(model))  # before all pictures of a folder are read
    found = yield from image_to_look_at(image)
    volume = found.volume
    with contextlib.ExitStack() as stack:
        shared = yield from readable_by_all(volume, Path(out), chosen.runner, stack)
        steps = predict(Path(model), shared, Path(out), chosen)
        yield from noted(
            with_problems(with_levels(steps, PredictionDone, Path(out), chosen), found),
            PredictionStarted,
            partial(note_run, Path(out), "predict", chosen, volume=volume),
        )


def instance_steps(
    prediction: Path | str,
    out: Path | str,
    settings: InstanceSettings | None = None,
    table: Path | str | None = None,
) -> Iterator[Event]:
    """Find and measure the objects of one class of a prediction.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr of a prediction.
    out : path
        Folder NAME.zarr for the labels.
    settings : InstanceSettings, optional
        Class, threshold, dust.
    table : path, optional
        CSV file; None measures nothing.

    Yields
    ------
    Event
        `Progress`, `Message`, `ComponentsFound`, `InstancesDone`.

    Raises
    ------
    SashikoError
        If prediction, settings or output cannot be used.
    """
    chosen = settings or InstanceSettings()
    steps = segment_instances(prediction, out, chosen, table)
    yield from with_levels(steps, InstancesDone, Path(out), chosen)
    note_run(Path(out), "instances", chosen)


def set_steps(
    prediction: Path | str, out: Path | str, settings: SetSettings | None = None
) -> Iterator[Event]:
    """Write how many classes each voxel of a prediction may have.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr of a finished prediction.
    out : path
        Folder NAME.zarr for the sizes of the sets.
    settings : SetSettings, optional
        Coverage.

    Yields
    ------
    Event
        `Progress`, `Message`, `Tick`, `SetsDone`.

    Raises
    ------
    SashikoError
        If prediction, settings or output cannot be used.
    """
    chosen = settings or SetSettings()
    steps = prediction_sets(prediction, out, chosen)
    yield from with_levels(steps, SetsDone, Path(out), chosen)
    note_run(Path(out), "sets", chosen)


def noted(
    steps: Iterator[Event], started: type[Event], note: Callable[[], None]
) -> Generator[Event, None, None]:
    """Pass a run's events on; note it when it starts, for it may never end."""
    with contextlib.closing(steps):  # type: ignore[type-var]
        for event in steps:
            if isinstance(event, started):
                note()
            yield event


def check_parts(settings: "TrainingSettings") -> None:
    """Refuse an impossible network, loss or augmentation before anything is trained.

    Raises
    ------
    SettingsError
        If there is no such part, or it has no such setting.
    """
    from napari_sashiko.losses import build_loss  # noqa: PLC0415 - loads torch
    from napari_sashiko.transforms import build_transforms  # noqa: PLC0415

    build_loss(settings.loss, **settings.loss_settings)
    build_transforms(settings.augment, dims=2)
    check_network(settings)


def check_network(settings: "LearningSettings") -> None:
    """Refuse an impossible network before anything is read.

    Raises
    ------
    SettingsError
        If there is no such network, or it has no such setting.
    """
    from napari_sashiko.networks import build_network  # noqa: PLC0415 - loads torch

    if settings.network != "auto":
        build_network(
            settings.network, 1, 2, dims=2, seed=0, **settings.network_settings
        )


def check_model_folder(path: Path) -> None:
    """Refuse to write a model over something that is none, or where nothing can be.

    Raises
    ------
    OutputError
        If there is a file, or a folder with other things in it, or it cannot be
        written: training would be in vain.
    """
    check_writable(path)
    if not path.exists():
        return
    if path.is_dir() and ((path / "model.json").exists() or not any(path.iterdir())):
        return
    raise OutputError(
        f"{path} exists and is not a model.",
        "Choose another name; it is left as it is.",
    )
