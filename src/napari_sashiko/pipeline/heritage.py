"""An earlier model to go on from: its networks, and how they look at an image."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sashiko.errors import ModelError, SettingsError
from napari_sashiko.prediction import check_classifies
from napari_sashiko.runners import Event, Message
from napari_sashiko.volumes import Volume

if TYPE_CHECKING:  # loads torch: only who trains pays
    from napari_sashiko.training import Heritage, TrainingSettings


def go_on_from(
    start: Path, settings: "TrainingSettings"
) -> "tuple[TrainingSettings, list[Heritage]]":
    """Networks of a model, and settings under which they can go on learning.

    Parameters
    ----------
    start : Path
        Model folder.
    settings : TrainingSettings
        What is asked for; what is left to choose follows the model. Classes of the
        model are known wherever one of the same name is learned.

    Raises
    ------
    ModelError
        If the model is damaged or has no networks.
    SettingsError
        If another network is asked for.
    """
    from napari_sashiko.checkpoints import load_ensemble  # noqa: PLC0415 - loads torch
    from napari_sashiko.training import Heritage  # noqa: PLC0415

    ensemble = load_ensemble(start)
    card = ensemble.card
    check_classifies(card)
    pairs = [
        (member, entry)
        for member, entry in zip(ensemble.members, card.members, strict=True)
        if entry.kind == "network"
    ]
    if not pairs:
        raise ModelError(
            f"The model {start.name} has no networks that could go on learning.",
            "Begin afresh, or choose another model.",
        )
    spec, neighbours = pairs[0][1].spec, pairs[0][1].neighbours
    if settings.network not in ("auto", spec["name"]):
        raise SettingsError(
            f"The networks of {start.name} are of the kind {spec['name']}, asked for "
            f"is {settings.network}.",
            "Leave the network at auto, or begin afresh.",
        )
    names = tuple(each.name for each in card.classes)
    follow = {
        "dims": str(card.dims) if settings.dims == "auto" else settings.dims,
        "neighbours": (
            neighbours if settings.neighbours is None else settings.neighbours
        ),
        "levelling": (
            ("no", "yes")[card.normalisation.levelled]
            if settings.levelling == "auto"
            else settings.levelling
        ),
    }
    heritage = [
        Heritage(entry.spec, member.network.state_dict(), names=names)  # type: ignore[attr-defined]
        for member, entry in pairs
    ]
    return settings.model_copy(update=follow), heritage


def known_image(start: Path, volume: Volume) -> Iterator[Event]:
    """Say so where the model has learned from the same image."""
    from napari_sashiko.checkpoints import load_card  # noqa: PLC0415 - loads torch

    learned_from = load_card(start).training.get("image", {})
    if learned_from.get("digest") == volume.digest():
        yield Message(
            f"{start.name} has learned from this image before: strokes that are held "
            "out now may be known to it, and scores too good."
        )
