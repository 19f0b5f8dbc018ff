"""What all parts of a training run share: its input and its members so far."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.checkpoints import network_halo
from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.labels import LabelClass, LabelledVoxels, stroke_components
from napari_sashiko.metrics import SetCalibration
from napari_sashiko.patches import NOTHING_DEALT, Folds, fold_labelled
from napari_sashiko.runners import Event, aside
from napari_sashiko.training._apart import voxels_apart
from napari_sashiko.training.choices import Choices
from napari_sashiko.training.chooser import Chooser
from napari_sashiko.training.events import TrainingDecided
from napari_sashiko.training.features import PaintFeatures, filter_bank
from napari_sashiko.training.held_out import (
    FoldForest,
    asked_rows,
    without_slants,
)
from napari_sashiko.training.levelling import levelling_reason
from napari_sashiko.training.network_desk import NetworkDesk
from napari_sashiko.training.recipes import member_recipes, network_reason
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.training.symmetries import symmetry_words
from napari_sashiko.training.tiles import Triple
from napari_sashiko.volumes import Normalisation, Volume

GUARD = 4.0  # voxels between what is learned from and what is judged
FOLDS = 8  # a network learns from all but one of these
# Small patches teach networks more in the same time, but not those that look far
# (docs/explanation/tried.md).
NEAR, SMALL_PATCH, PATCH = 24, 32, 64  # voxels
PATCH_DEPTH = 16  # slices of a 3D training patch
FOREST_FOLDS = 3  # folds of a forest without networks
OF_BEFORE = "Scores and prediction sets are of before the last change of the paint."


@dataclass
class Desk:
    """A training run's working state."""

    volume: Volume
    labelled: LabelledVoxels
    classes: tuple[LabelClass, ...]
    settings: TrainingSettings
    chooser: Chooser
    choices: Choices = field(init=False)
    normalisation: Normalisation
    device: torch.device
    out: Path
    started: float
    origin: dict[str, Any] = field(default_factory=dict)  # of the labels
    is_live: bool = False  # whether the paint may change
    version: int = 0  # of the paint
    slants: bool = False  # whether the forest is to know diagonals apart
    rotations: str = "yes"  # how patches are turned, a key of SYMMETRIES
    turning: str = ""  # why patches are turned or not, as last told
    reasons: list[str] = field(default_factory=list)
    forest: Forest | None = None
    fold_forests: dict[int, FoldForest] = field(default_factory=dict)  # by fold unseen
    forest_says: NDArray[np.float32] | None = None  # (N, K), NaN where never asked
    networks: list[NetworkDesk] = field(default_factory=list)
    # Networks with another view, which answer until all that replace them can.
    veterans: list[NetworkDesk] = field(default_factory=list)
    share: float | None = None  # the forest's, as held-out strokes last said
    metrics: dict[str, float] = field(default_factory=dict)
    fairness: str = ""  # how far from learned paint the metrics were taken
    judged: int = 0  # version of the paint that the metrics are of
    curves: dict[str, Any] = field(default_factory=dict)  # behind the metrics
    correction: tuple[float, ...] = ()
    temperature: float = 1.0
    agreed: float | None = None  # temperature at which doubt is what members differ by
    sets: SetCalibration | None = None
    was_taught: bool = False  # whether the forest's lessons were told of
    changed: bool = False  # since the folder was written
    saved: float = -math.inf  # when the folder was written, by the monotonic clock
    cost: float = 0.0  # seconds that writing it took
    # By place in the folder: what was written there last, and the name of its file.
    written: dict[int, tuple[Any, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """State what was chosen."""
        self.choices = self.chooser.choose(self.labelled)
        self.reasons.append(self.choices.reason)
        self.reasons += filter(
            None,
            (
                self.labelled.remark,
                levelling_reason(self.volume, self.settings),
                network_reason(self.settings),
            ),
        )
        if self.settings.rotations != "auto":
            self.rotations = self.settings.rotations
        if self.settings.members and not self.asks_for_direction:
            self.reasons.append(_unasked(self.settings))
        self.threads = torch.get_num_threads()
        everything = filter_bank(self.choices, slants=True)
        self.features = PaintFeatures(self.volume, self.normalisation, everything)
        self._dealt = NOTHING_DEALT

    def take(self, labelled: LabelledVoxels, classes: tuple[LabelClass, ...]) -> bool:
        """Go on with other paint, and with another view where it calls for one.

        Parameters
        ----------
        labelled : LabelledVoxels
            All paint there is now.
        classes : tuple of LabelClass
            Those with paint, in order of their ids.

        Returns
        -------
        bool
            Whether networks have to be others: channels mean other classes than before,
            and then there is no forest; or they are given other channels.
        """
        self._dealt = self._dealt.with_folds(self.labelled, self.folds)
        others = self.ids != tuple(c.id for c in classes)
        if labelled.remark:
            self._put(labelled.remark, self.labelled.remark)
        self.labelled, self.classes = labelled, classes
        for name in ("channels", "strokes", "folds", "apart", "asked_rows"):
            self.__dict__.pop(name, None)
        self.version += 1
        self.forest_says = None
        if others:
            self.forest, self.fold_forests = None, {}
            self.correction, self.agreed, self.sets = (), None, None
            self.metrics, self.curves, self.fairness = {}, {}, ""
            self.share = None
        return self._look_again() or others

    def _look_again(self) -> bool:
        """Whether there is another view now. Neither forest nor folds depend on it."""
        before, self.choices = self.choices, self.chooser.choose(self.labelled)
        if self.choices is before:
            return False
        self._put(self.choices.reason, before.reason)
        return True

    def holds(self, labelled: LabelledVoxels) -> bool:
        """Whether this paint is what is learned from."""
        mine = self.labelled
        return np.array_equal(mine.coords, labelled.coords) and np.array_equal(
            mine.values, labelled.values
        )

    @cached_property
    def channels(self) -> NDArray[np.intp]:
        """Channel 0..K-1 of each labelled voxel."""
        ids = np.array([c.id for c in self.classes])
        return np.asarray(np.searchsorted(ids, self.labelled.values))

    @property
    def ids(self) -> tuple[int, ...]:
        """Ids of the classes, channel by channel."""
        return tuple(c.id for c in self.classes)

    @cached_property
    def strokes(self) -> NDArray[np.int64]:
        """Which stroke each labelled voxel belongs to."""
        return stroke_components(self.labelled, frame=self.volume.frame)

    @cached_property
    def asked_rows(self) -> NDArray[np.int64]:
        """Places ``(n,)`` of the labelled voxels that forests are asked about."""
        return asked_rows(self.labelled, self.settings.seed)

    @property
    def asked(self) -> LabelledVoxels:
        """The labelled voxels that forests are asked about."""
        rows, labelled = self.asked_rows, self.labelled
        return LabelledVoxels(
            labelled.coords[rows], labelled.values[rows], labelled.shape
        )

    @property
    def remark(self) -> str:
        """What is to be known about the metrics."""
        old = bool(self.metrics) and self.judged != self.version
        return f"{self.fairness} {OF_BEFORE}".strip() if old else self.fairness

    @property
    def learned(self) -> NDArray[np.bool_]:
        """``(N,)`` which labelled voxels are not only there to judge by."""
        reserved = self.labelled.reserved
        return np.ones(len(self.labelled), bool) if reserved is None else ~reserved

    @property
    def patch(self) -> Triple:
        """Size of a training patch, (z, y, x); one slice for 2D."""
        flat = self.choices.dims == 2
        edge = self.settings.patch
        if edge is None:
            networks = [each.network for each in self.networks]
            reach = max((each.receptive_radius for each in networks), default=0)
            edge = SMALL_PATCH if flat and reach <= NEAR else PATCH
            # Where what is far counts as much, a smaller patch would be mostly rim.
            sight = [2 * n.receptive_radius for n in networks if not n.fades]
            edge = max(edge, -(-max(sight, default=0) // 16) * 16)
        return 1 if flat else min(PATCH_DEPTH, edge), edge, edge

    @property
    def bank(self) -> FilterBank:
        """The forest's filters."""
        return filter_bank(self.choices, slants=self.slants)

    @property
    def filtered(self) -> NDArray[np.float32]:
        """``(n, F)`` what these filters say at the voxels of `asked`."""
        found = self.features.values
        if self.slants:
            return found
        return without_slants(found, self.features.bank, self.volume.channels)

    @cached_property
    def folds(self) -> Folds:
        """Strokes in as many folds as there are networks."""
        count = self.settings.members
        # What is reserved is held out by the networks that there are, all of it.
        least = FOLDS if self.labelled.reserved is None else 1
        return fold_labelled(
            self.labelled,
            max(count, least) if count else FOREST_FOLDS,
            guard=GUARD,
            spacing=self.choices.spacing,
            seed=self.settings.seed,
            before=self._dealt,
            frame=self.volume.frame,
        )

    def deal(self) -> Iterator[Event]:
        """Find `strokes` and `folds`: of whole slices of paint that takes seconds."""
        yield from aside(lambda: (self.strokes, self.folds))

    @property
    def reach(self) -> tuple[int, int, int]:
        """Voxels (z, y, x) around a voxel that the members' answer depends on."""
        halos = [network_halo(n.network, n.neighbours) for n in self.networks]
        if self.has_forest:
            halos.append(self.bank.halo)
        z, y, x = np.max(halos, axis=0).tolist()
        return z, y, x

    @cached_property
    def apart(self) -> NDArray[np.bool_]:
        """Which held-out voxels lie beyond `reach` of what was learned."""
        return voxels_apart(
            self.labelled.coords, self.folds, self.reach, self.volume.frame
        )

    @cached_property
    def recipes(self) -> list[dict[str, Any]]:
        """Name and settings of each network."""
        return member_recipes(self.settings)

    @property
    def has_forest(self) -> bool:
        """Whether a forest is among the members: also where nothing else is."""
        return self.settings.forest or self.settings.members == 0

    @property
    def asks_for_direction(self) -> bool:
        """Whether the forest is asked if patches may be turned."""
        asked = self.settings.rotations == "auto" and self.has_forest
        return asked and bool(self.settings.members)

    @property
    def is_taught(self) -> bool:
        """Whether the networks learn from the forest, too."""
        return bool(self.networks and self.forest and self.settings.teacher)

    @property
    def parameters(self) -> int:
        """Parameters of all networks."""
        return sum(
            parameter.numel()
            for desk in self.networks
            for parameter in desk.network.parameters()
        )

    @property
    def deadline(self) -> float | None:
        """When all training must be over, by the monotonic clock."""
        minutes = self.settings.minutes
        return None if minutes is None else self.started + 60 * minutes

    def decide(self, reason: str, instead: str = "") -> TrainingDecided:
        """Note a choice that was made on the way; say it to the user too."""
        self._put(reason, instead)
        return TrainingDecided(reason, summary=self.describe())

    def _put(self, reason: str, instead: str) -> None:
        """Note a reason, in the place of an earlier one if there is."""
        if instead in self.reasons:
            self.reasons[self.reasons.index(instead)] = reason
        else:
            self.reasons.append(reason)

    def describe(self) -> str:
        """Say what is trained and why, a sentence a line."""
        names = [member.network.name for member in self.networks]
        parts = [f"{names.count(name)} x {name}" for name in dict.fromkeys(names)]
        if self.has_forest:
            parts.insert(0, "a random forest")
        return "\n".join([f"{' and '.join(parts)} on {self.device}.", *self.reasons])


def _unasked(settings: TrainingSettings) -> str:
    """How patches are turned where the forest is not asked, and why."""
    auto = settings.rotations == "auto"
    why = ": without a forest nobody can be asked" if auto else ", as set"
    return f"Patches are {symmetry_words(settings.rotations)}{why}."
