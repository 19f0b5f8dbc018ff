"""The forest of a training run: first of all members, ready in seconds."""

from collections.abc import Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.metrics import ConfusionMatrix
from napari_sashiko.patches import Folds
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
from napari_sashiko.training.symmetries import symmetry_words

QUICK = (8, 64)  # blocks and their edge, for the first correction of class shares
FEWER = 0.4  # share of trees in forests that only judge
DIRECTION_PAYS = 0.04  # macro F1 that oriented features must gain


def forest_member(desk: Desk) -> Iterator[Event]:
    """Grow the forest, save it as a usable model, then ask it about unseen strokes."""
    yield from desk.features.update(desk.asked)
    yield from _forest_member(desk)


def weigh_forest(desk: Desk) -> Iterator[Event]:
    """Ask whether direction matters and how common classes are, save that."""
    yield from _ask_for_slants(desk)
    if desk.asks_for_direction:
        yield from _ask_for_direction(desk)
    save(desk)
    yield from weigh_classes(desk, *QUICK)
    yield MemberSaved(0, desk.out, "forest, judged on held-out strokes")


def _forest_member(desk: Desk) -> Iterator[Event]:
    features = desk.filtered
    asked = desk.asked_rows
    rows = np.flatnonzero(desk.learned[asked])
    rows = rows[subsample(desk.channels[asked[rows]], desk.settings.seed)]
    desk.forest = _grow(desk, features, rows)
    save(desk)
    yield MemberSaved(0, desk.out, "forest")

    says, unseen = yield from _cross_fit(desk, features, desk.bank)
    desk.forest_says, desk.fold_forests = says, unseen


def _ask_for_slants(desk: Desk) -> Iterator[Event]:
    """Let the forest know diagonals apart if that tells classes apart much better.

    Most textures have no slant, and every feature more is one to learn by heart.
    """
    if desk.slants:
        return
    bank = desk.features.bank
    says, _ = yield from _cross_fit(desk, desk.features.values, bank)
    if _macro_f1(desk, says) - _macro_f1(desk, desk.forest_says) < DIRECTION_PAYS:
        return
    desk.slants = True
    yield from _forest_member(desk)


def _ask_for_direction(desk: Desk) -> Iterator[Event]:
    """Turn and flip patches unless direction tells classes apart much better."""
    hidden = without_direction(desk.filtered, desk.bank, desk.volume.channels)
    says, _ = yield from _cross_fit(desk, hidden, desk.bank)
    known, without = _macro_f1(desk, desk.forest_says), _macro_f1(desk, says)
    chosen = "yes"
    if known - without >= DIRECTION_PAYS:
        chosen = "half_turns" if desk.slants else "no"
    before, desk.rotations = desk.rotations, chosen
    if before == chosen and desk.turning:
        return
    why = "hardly tells" if chosen == "yes" else "tells"
    earlier = desk.turning
    desk.turning = (
        f"Patches are {symmetry_words(chosen)}: the direction of textures {why} "
        f"classes apart (held-out macro F1 {known:.2f} with it, {without:.2f} without)."
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
        desk.channels[desk.asked_rows[rows]],
        trees=desk.settings.trees,
        seed=desk.settings.seed,
        threads=desk.threads,
    )


def _cross_fit(
    desk: Desk, features: NDArray[np.float32], bank: FilterBank
) -> Generator[Event, None, tuple[NDArray[np.float32], dict[int, FoldForest]]]:
    """Probabilities ``(N, K)`` of held-out strokes, NaN elsewhere; forests by fold.

    Features ``(n, F)`` are those of the voxels that forests are asked about.
    """
    asked, folds = desk.asked_rows, desk.folds
    says = np.full((len(desk.labelled), len(desk.classes)), np.nan, np.float32)
    unseen = {}
    for rows, probabilities, forest in cross_fit(
        features,
        desk.channels[asked],
        Folds(folds.fold[asked], folds.train[:, asked], folds.note),
        bank,
        asked=desk.settings.members or len(folds),
        trees=max(2, int(FEWER * desk.settings.trees)),
        seed=desk.settings.seed,
        threads=desk.threads,
    ):
        says[asked[rows]] = probabilities
        unseen[int(folds.fold[asked[rows[0]]])] = forest
        yield Tick()
    return says, unseen
