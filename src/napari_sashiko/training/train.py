"""The training run: forest first, then networks side by side, then their shares.

Strategy: labelled strokes are dealt to folds. Network ``i`` never sees fold ``i``, so
that what it is judged by is new to it; forests are grown once per fold for the same
reason, and teach only the network that has not seen the same fold. What both families
say about unseen strokes decides how much each counts. The model folder can be used from
the first second.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import LabelClass, LabelledVoxels
from napari_sashiko.runners import Event, Message, choose_device
from napari_sashiko.training._desk import Desk
from napari_sashiko.training._saving import save, weigh_classes
from napari_sashiko.training.choices import make_choices
from napari_sashiko.training.crew import enlist, network_members
from napari_sashiko.training.events import TrainingDone, TrainingStarted
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.training.woods import forest_member
from napari_sashiko.volumes import Volume, measure_normalisation

THOROUGH = (24, 96)  # blocks and their edge, for the correction of class shares


def train(
    volume: Volume,
    labelled: LabelledVoxels,
    classes: Sequence[LabelClass],
    settings: TrainingSettings,
    out: Path,
) -> Iterator[Event]:
    """Train an ensemble on sparse labels.

    Closing the generator keeps the best members so far in the model folder.

    Parameters
    ----------
    volume : Volume
        The image; what surrounds paint is read, and small parts at random places.
    labelled : LabelledVoxels
        The paint, of the volume's shape.
    classes : sequence of LabelClass
        Those without paint are left out of the model.
    settings : TrainingSettings
        Everything a user may set.
    out : Path
        The model folder to write.

    Yields
    ------
    Event
        `TrainingStarted`, `EpochDone`, `MemberSaved`, `TrainingDone`, `Message`,
        `Tick`.

    Raises
    ------
    LabelError
        If the labels do not fit the image or fewer than two classes are painted.
    """
    painted = _painted(volume, labelled, classes)
    device = choose_device(settings.device)
    started = time.monotonic()
    choices = make_choices(volume, labelled, settings, device.type)
    normalisation = measure_normalisation(volume, settings.seed)
    if normalisation.is_constant:
        yield Message(f"{volume.name!r} has the same value everywhere.", "warning")
    desk = Desk(
        volume=volume,
        labelled=labelled,
        classes=painted,
        settings=settings,
        choices=choices,
        normalisation=normalisation,
        device=device,
        out=Path(out),
        started=started,
    )
    enlist(desk)
    try:
        yield TrainingStarted(
            desk.describe(), settings.members + desk.has_forest, desk.parameters
        )
        if desk.folds.note:
            yield Message(desk.folds.note)
        if desk.has_forest:
            yield from forest_member(desk)
        if settings.members:
            yield from network_members(desk)
            yield from weigh_classes(desk, *THOROUGH)
    finally:
        if desk.changed:
            save(desk)
    yield TrainingDone(
        path=desk.out,
        metrics=tuple(desk.metrics.items()),
        seconds=time.monotonic() - started,
    )


def _painted(
    volume: Volume, labelled: LabelledVoxels, classes: Sequence[LabelClass]
) -> tuple[LabelClass, ...]:
    if tuple(labelled.shape) != volume.shape:
        raise LabelError(
            f"Labels of shape {tuple(labelled.shape)} do not fit the image "
            f"{volume.name!r} of shape {volume.shape}.",
            "Paint on a label layer of the image's own shape.",
        )
    found = set(np.unique(labelled.values).tolist())
    if not found:
        raise LabelError("Nothing is labelled yet.", "Paint at least two classes.")
    if len(found) == 1:
        raise LabelError(
            f"Only class {found.pop()} is painted.",
            "Paint at least one more: the background is a class like any other.",
        )
    unknown = found - {c.id for c in classes}
    if unknown:
        raise LabelError(
            f"Label {min(unknown)} belongs to no class.",
            f"Classes: {', '.join(str(c.id) for c in classes)}.",
        )
    # In order of their ids, so that channels are found by searching.
    return tuple(sorted((c for c in classes if c.id in found), key=lambda c: c.id))
