"""Writing the model folder of a training run, as often as there is something new."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from napari_sashiko.checkpoints import (
    Ensemble,
    MemberCard,
    ModelCard,
    load_ensemble,
)
from napari_sashiko.forests import Forest
from napari_sashiko.runners import Event, torch_threads
from napari_sashiko.training._desk import Desk
from napari_sashiko.training._record import history_of, versions
from napari_sashiko.training._verdict import Ready, weigh_families
from napari_sashiko.training._writing import write_members
from napari_sashiko.training.network_desk import NetworkDesk
from napari_sashiko.training.outcome import Best
from napari_sashiko.training.survey import Survey, correction, survey
from napari_sashiko.training.temperature import (
    ALIKE,
    ALIKE_ALONE,
    Family,
    agreed_temperature,
)


def save(desk: Desk) -> None:
    """Weigh the members that there are and write the model folder."""
    started = time.monotonic()
    ready = _ready(desk)
    # Before the history is read: an epoch that ends meanwhile is saved the next time.
    desk.changed = False
    try:
        _save(desk, ready)
    except BaseException:
        desk.changed = True
        raise
    desk.saved = time.monotonic()
    desk.cost = desk.saved - started


def _ready(desk: Desk) -> Ready:
    """Networks that can answer; those of before, until all of today's can."""
    ready = _with_weights(desk, desk.networks)
    if len(ready) == len(desk.networks):
        desk.veterans = []
    return _with_weights(desk, desk.veterans) or ready


def _with_weights(desk: Desk, networks: Sequence[NetworkDesk]) -> Ready:
    # They may be learning meanwhile: their best epoch is looked at once.
    found = [(member, member.outcome.best) for member in networks]
    return [
        (member, best)
        for member, best in found
        if best is not None and member.ids == desk.ids
    ]


def _save(desk: Desk, ready: Ready) -> None:
    share = weigh_families(desk, ready)
    members: list[MemberCard] = []
    learned: list[Forest | Best] = []
    if desk.forest is not None:
        members.append(_forest_card(desk.forest, share))
        learned.append(desk.forest)
    for member, best in ready:
        weight = (1.0 - share) / len(ready)
        members.append(_network_card(member, weight))
        learned.append(best)
    if members:
        write_members(
            desk.out, members, learned, desk.written, lambda m: _model_card(desk, m)
        )


def weigh_classes(desk: Desk, blocks: int, edge: int) -> Iterator[Event]:
    """Ask the saved members how common classes are, and how far they agree; save it."""
    ensemble = load_ensemble(desk.out, desk.device)
    card = ensemble.card.model_copy(update={"correction": (), "temperature": 1.0})
    bare = Ensemble(card, ensemble.members, desk.device)
    with torch_threads(1):
        found = yield from survey(
            bare,
            desk.volume,
            blocks=blocks,
            edge=edge,
            seed=desk.settings.seed,
            deadline=None if desk.is_live else desk.deadline,
        )
    paint = np.bincount(desk.channels[desk.learned], minlength=len(desk.classes))
    desk.correction = correction(found.shares, paint / paint.sum())
    forests, networks = (
        _families(card.members, kind, found, desk.correction)
        for kind in ("forest", "network")
    )
    if forests and networks:
        strokes, classes = (
            len(np.unique(each)) for each in (desk.strokes, desk.labelled.values)
        )
        alike = ALIKE_ALONE if strokes == classes else ALIKE
        desk.agreed = agreed_temperature(forests, networks, alike=alike)
    save(desk)


def _families(
    members: Sequence[MemberCard],
    kind: str,
    found: Survey,
    factors: Sequence[float],
) -> list[Family]:
    """Members of a kind: their weights, and what they say when it is corrected."""
    pairs = zip(members, found.answers, strict=True)
    return [
        (member.weight, said * np.array(factors))
        for member, said in pairs
        if member.kind == kind
    ]


def _forest_card(forest: Forest, weight: float) -> MemberCard:
    return MemberCard(
        kind="forest",
        weight=weight,
        spec=forest.bank.model_dump(mode="json"),
    )


def _network_card(member: NetworkDesk, weight: float) -> MemberCard:
    return MemberCard(
        kind="network",
        weight=weight,
        neighbours=member.neighbours,
        spec=member.network.spec,
    )


def _model_card(desk: Desk, members: tuple[MemberCard, ...]) -> ModelCard:
    networks = [(m.spec["dims"], m.neighbours) for m in members if m.kind == "network"]
    dims, neighbours = networks[0] if networks else desk.choices.view
    return ModelCard(
        name=desk.out.name.removesuffix(".sashiko-model"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        classes=desk.classes,
        channels=desk.volume.channels,
        voxel_size=desk.volume.voxel_size,
        unit=desk.volume.unit,
        dims=2 if dims == 2 else 3,
        normalisation=desk.normalisation,
        members=members,
        correction=desk.correction,
        temperature=desk.temperature,
        sets=desk.sets,
        patch={"edge": desk.patch[1], "neighbours": neighbours},
        training=_record(desk),
    )


def _record(desk: Desk) -> dict[str, Any]:
    """How the model came about: enough to make it again, and to judge it."""
    values, counts = np.unique(desk.labelled.values, return_counts=True)
    return {
        "settings": desk.settings.model_dump(mode="json"),
        "reasons": desk.reasons,
        "held_out": desk.metrics,
        "held_out_curves": desk.curves,
        "held_out_fairness": desk.remark,
        "history": [history_of(member) for member in desk.networks],
        "labels": {str(v): int(n) for v, n in zip(values, counts, strict=True)},
        "image": {
            "name": desk.volume.name,
            "digest": desk.volume.digest(),
            "dtype": str(desk.volume.stored),
        },
        **({"origin": desk.origin} if desk.origin else {}),
        "seconds": round(time.monotonic() - desk.started, 1),
        "versions": versions(),
    }
