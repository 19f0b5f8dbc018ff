"""The forest of a training run: first of all members, ready in seconds."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.forests import Forest
from napari_sashiko.metrics import ConfusionMatrix
from napari_sashiko.runners import Event, Tick
from napari_sashiko.training._desk import Desk
from napari_sashiko.training._saving import save, weigh_classes
from napari_sashiko.training.events import MemberSaved
from napari_sashiko.training.held_out import (
    FoldForest,
    cross_fit,
    subsample,
    without_direction,
)

QUICK = (8, 64)  # blocks and their edge, for the first correction of class shares
FEWER = 0.4  # share of trees in forests that only judge
DIRECTION_PAYS = 0.04  # macro F1 that oriented features must gain


def forest_member(desk: Desk) -> Iterator[Event]:
    """Grow the forest, save it as a usable model, then ask it about unseen strokes."""
    yield from desk.features.update(desk.labelled)
    features = desk.features.values
    rows = np.flatnonzero(desk.learned)
    rows = rows[subsample(rows, desk.settings.seed)]
    desk.forest = _grow(desk, features, rows)
    save(desk)
    yield MemberSaved(0, desk.out, "forest")

    says = np.full((len(desk.labelled), len(desk.classes)), np.nan, np.float32)
    unseen = {}
    for rows, probabilities, forest in _cross_fit(desk, features):
        says[rows] = probabilities
        unseen[int(desk.folds.fold[rows[0]])] = forest
        yield Tick()
    desk.forest_says, desk.fold_forests = says, unseen


def weigh_forest(desk: Desk) -> Iterator[Event]:
    """Ask whether direction matters and how common classes are, save that."""
    if desk.asks_for_direction:
        yield from _ask_for_direction(desk, desk.features.values)
    save(desk)
    yield from weigh_classes(desk, *QUICK)
    yield MemberSaved(0, desk.out, "forest, judged on held-out strokes")


def _ask_for_direction(desk: Desk, features: NDArray[np.float32]) -> Iterator[Event]:
    """Rotate patches unless oriented features tell classes apart much better."""
    channels = desk.volume.channels
    blind = np.full((len(desk.labelled), len(desk.classes)), np.nan, np.float32)
    hidden = without_direction(features, desk.bank, channels)
    for rows, probabilities, _ in _cross_fit(desk, hidden):
        blind[rows] = probabilities
        yield Tick()
    with_it, without = _macro_f1(desk, desk.forest_says), _macro_f1(desk, blind)
    before, desk.rotations = desk.rotations, with_it - without < DIRECTION_PAYS
    if before == desk.rotations and desk.turning:
        return
    what, why = (
        ("Patches are flipped and turned", "hardly tells classes apart")
        if desk.rotations
        else ("Patches are flipped, not turned", "tells classes apart")
    )
    earlier, desk.turning = (
        desk.turning,
        (
            f"{what}: the direction of textures {why} "
            f"(held-out macro F1 {with_it:.2f} with it, {without:.2f} without)."
        ),
    )
    # The paint may have changed, and with it the answer.
    yield desk.decide(desk.turning, instead=earlier)


def _macro_f1(desk: Desk, probabilities: NDArray[np.float32] | None) -> float:
    if probabilities is None:
        return 0.0
    asked = np.isfinite(probabilities[:, 0])
    if not asked.any():
        return 0.0
    matrix = ConfusionMatrix([c.id for c in desk.classes])
    matrix.update(probabilities[asked].T, desk.labelled.values[asked])
    return matrix.compute().macro_f1


def _grow(desk: Desk, features: NDArray[np.float32], rows: NDArray[np.int64]) -> Forest:
    return Forest.fit(
        desk.bank,
        features[rows],
        desk.channels[rows],
        trees=desk.settings.trees,
        seed=desk.settings.seed,
        threads=desk.threads,
    )


def _cross_fit(
    desk: Desk, features: NDArray[np.float32]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32], FoldForest]]:
    return cross_fit(
        features,
        desk.channels,
        desk.folds,
        desk.bank,
        asked=desk.settings.members or len(desk.folds),
        trees=max(2, int(FEWER * desk.settings.trees)),
        seed=desk.settings.seed,
        threads=desk.threads,
    )
