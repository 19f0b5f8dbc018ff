"""Measure a volume with error bars: each member alone, then all of them together.

Strategy: volume fractions, counts and sizes are no averages of voxels, so that their
spread cannot be taken from the maps of mean and deviation. Each member segments the
volume by itself, its objects are found with the same settings, and it is reduced to
numbers. Only one map is on disk at a time; what a member gave is kept in a small file.
"""

import contextlib
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sashiko.errors import SettingsError
from napari_sashiko.instances import dust_voxels
from napari_sashiko.labels import class_of_objects
from napari_sashiko.measurements import (
    Measurements,
    MemberNumbers,
    check_measurements,
    write_measurements,
)
from napari_sashiko.pipeline.inputs import open_image
from napari_sashiko.pipeline.measure_clock import MeasureClock
from napari_sashiko.pipeline.measure_events import MeasureDone, MemberStarted
from napari_sashiko.pipeline.measure_plan import common_plan, cut_like
from napari_sashiko.pipeline.measure_remarks import remarks
from napari_sashiko.pipeline.measure_settings import MeasureSettings
from napari_sashiko.pipeline.member_steps import Share, member_steps
from napari_sashiko.pipeline.member_turn import Turn
from napari_sashiko.pipeline.noting import note_run
from napari_sashiko.pipeline.one_member import OneMember
from napari_sashiko.pipeline.sharing import readable_by_all
from napari_sashiko.prediction import check_classifies, check_volume
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.volumes import Volume, check_writable

if TYPE_CHECKING:  # loads torch
    from napari_sashiko.checkpoints import Ensemble

PARTS = 1000  # of all members' work, in the progress


def measure_steps(
    model: Path | str,
    image: Any,
    out: Path | str,
    settings: MeasureSettings | None = None,
) -> Iterator[Event]:
    """Measure a volume, each number with the spread over the members of a model.

    Closing keeps what members gave; the same call goes on there.

    Parameters
    ----------
    model : path
        Model folder.
    image : path, array or Volume
        The image.
    out : path
        Folder for the tables. Maps of members lie beside it meanwhile, in
        ``.NAME.members``.
    settings : MeasureSettings, optional
        How members are predicted, and what is an object.

    Yields
    ------
    MemberStarted, Progress, Message, Tick, MeasureDone

    Raises
    ------
    SashikoError
        If model, image, settings or output cannot be used.
    """
    start = time.perf_counter()
    asked = settings or MeasureSettings()
    volume, target = open_image(image), Path(out).absolute()
    check_measurements(target)
    check_writable(target)
    ensemble, digest = _opened(Path(model), asked.device)
    chosen = _checked(asked, ensemble, volume)
    folder = members_folder(target)
    if chosen.overwrite:
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        said = [*check_volume(ensemble.card, volume)]
        yield from said
        shared = yield from readable_by_all(volume, target, chosen.runner, stack)
        turns = _turns(
            Path(model), ensemble, digest, shared, settings=chosen, folder=folder
        )
        yield from remarks(turns)
        numbers = yield from _all_members(turns, {each.text for each in said})
    measured = _together(numbers, turns[0], Path(model))
    write_measurements(measured, target)
    if not chosen.keep_maps:
        shutil.rmtree(folder, ignore_errors=True)
    note_run(target, "measure", asked, volume=volume)
    yield MeasureDone(str(target), len(numbers), time.perf_counter() - start)


def members_folder(out: Path) -> Path:
    """Where maps and numbers of members lie until all are measured."""
    return out.with_name(f".{out.name}.members")


def _opened(model: Path, device: str) -> tuple["Ensemble", str]:
    from napari_sashiko.checkpoints import load_ensemble  # noqa: PLC0415 - loads torch
    from napari_sashiko.runners import choose_device  # noqa: PLC0415

    ensemble = load_ensemble(model, choose_device(device))
    return ensemble, ensemble.digest


def _checked(
    settings: MeasureSettings, ensemble: "Ensemble", volume: Volume
) -> MeasureSettings:
    """Refuse before hours of work what would be refused after them; ids for names."""
    check_classifies(ensemble.card)
    planar = volume.stacking.planar
    dust_voxels(settings.dust, volume.voxel_size, volume.unit, flat=planar)
    classes = ensemble.card.classes
    objects = _class_id(classes, settings.label_class)
    if objects is None:
        objects = class_of_objects(classes).id
    between = _class_id(classes, settings.boundary_class)
    if objects == between:
        raise SettingsError(
            f"Class {objects} is both the class of the objects and what lies between "
            "them.",
            "Choose two classes.",
        )
    ids = {"label_class": objects, "boundary_class": between}
    return settings.model_copy(update=ids)


def _class_id(classes: Sequence[Any], wanted: int | str | None) -> int | None:
    if wanted is None:
        return None
    for each in classes:
        if wanted in (each.id, each.name, str(each.id)):
            return int(each.id)
    known = ", ".join(f"{each.id} ({each.name})" for each in classes)
    raise SettingsError(f"There is no class {wanted!r}.", f"Classes: {known}.")


def _turns(
    model: Path,
    ensemble: "Ensemble",
    digest: str,
    volume: Volume,
    *,
    settings: MeasureSettings,
    folder: Path,
) -> list[Turn]:
    """Members that have a say, the weightiest first."""
    opened = (str(model.absolute()), settings.device, digest)
    cards = [(n, each) for n, each in enumerate(ensemble.card.members) if each.weight]
    image_digest = volume.digest()
    plan = common_plan(
        OneMember(ensemble, cards[0][0], opened),
        volume,
        settings,
        (digest, image_digest),
        folder,
    )
    cut = cut_like(settings, plan)
    return [
        Turn(
            predictor=OneMember(ensemble, place, opened),
            place=place,
            kind=str(card.spec.get("name", card.kind)),
            weight=card.weight,
            digest=digest,
            volume=volume,
            image_digest=image_digest,
            plan=plan,
            settings=cut,
            folder=folder,
        )
        for place, card in sorted(cards, key=lambda each: -each[1].weight)
    ]


def _all_members(
    turns: Sequence[Turn], said: set[str]
) -> Generator[Event, None, list[MemberNumbers]]:
    """Measure one member after the other, or remember what it gave."""
    clock = MeasureClock([turn.kind for turn in turns])
    numbers: list[MemberNumbers] = []
    for turn in turns:
        known = turn.kept()
        if known is None:
            yield MemberStarted(len(numbers) + 1, len(turns), turn.kind, turn.weight)
            steps = member_steps(turn)
            known = yield from _told(steps, len(numbers), len(turns), clock, said)
        clock.done(known.seconds)
        numbers.append(known)
    return numbers


def _told(
    steps: Generator[Event, None, MemberNumbers],
    before: int,
    members: int,
    clock: MeasureClock,
    said: set[str],
) -> Generator[Event, None, MemberNumbers]:
    """Tell of one member's work as part of all, and the same sentence only once."""
    with contextlib.closing(steps):
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                numbers: MemberNumbers = end.value
                return numbers
            if isinstance(event, Share):
                done = int(PARTS * (before + event.share) / members)
                yield Progress(done, PARTS, "measuring", clock.left(event.share))
            elif not isinstance(event, Message) or event.text not in said:
                if isinstance(event, Message):
                    said.add(event.text)
                yield event


def _together(
    numbers: Sequence[MemberNumbers], turn: Turn, model: Path
) -> Measurements:
    volume, card = turn.volume, turn.predictor.card
    chosen = turn.settings.for_instances().record()
    cut = turn.plan.record() | {"dtype": turn.settings.dtype}
    return Measurements(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=model.name,
        model_digest=turn.digest,
        image=volume.name,
        image_digest=turn.image_digest,
        shape=volume.shape,
        voxel_size=volume.voxel_size,
        unit=volume.unit,
        flat=volume.stacking.planar,
        classes=card.classes,
        settings=chosen | {"cut": cut},
        members=tuple(sorted(numbers, key=lambda each: each.place)),
    )
