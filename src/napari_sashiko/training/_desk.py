"""What all parts of a training run share: its input, its members so far, its folder."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax

from napari_sashiko.checkpoints import (
    Ensemble,
    MemberCard,
    ModelCard,
    load_ensemble,
    save_model,
)
from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.labels import LabelClass, LabelledVoxels
from napari_sashiko.metrics import Calibration, ConfusionMatrix
from napari_sashiko.networks import Network
from napari_sashiko.patches import Folds, fold_labelled
from napari_sashiko.runners import Event
from napari_sashiko.training.blend import blend
from napari_sashiko.training.choices import Choices
from napari_sashiko.training.fit import Outcome
from napari_sashiko.training.recipes import member_recipes
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.training.shares import class_shares, correction
from napari_sashiko.volumes import Normalisation, Volume

GUARD = 4.0  # voxels between what is learned from and what is judged
FOLDS = 8  # a network learns from all but one of these
FOREST_FOLDS = 3  # folds of a forest without networks


@dataclass
class NetworkDesk:
    """One network in training: how it was made, how far it is."""

    network: Network
    outcome: Outcome
    rows: np.ndarray  # held-out voxels in the order of `outcome.logits`
    saved: bool = False


@dataclass
class Desk:
    """A training run's working state."""

    volume: Volume
    labelled: LabelledVoxels
    classes: tuple[LabelClass, ...]
    settings: TrainingSettings
    choices: Choices
    normalisation: Normalisation
    device: torch.device
    out: Path
    started: float
    rotations: bool = True
    reasons: list[str] = field(default_factory=list)
    forest: Forest | None = None
    forest_says: np.ndarray | None = None  # (N, K), NaN where nobody could be asked
    networks: list[NetworkDesk] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    correction: tuple[float, ...] = ()
    changed: bool = False

    def __post_init__(self) -> None:
        """State what was chosen."""
        self.reasons.append(self.choices.reason)
        self.rotations = self.settings.rotations != "no"

    @cached_property
    def channels(self) -> np.ndarray:
        """Channel 0..K-1 of each labelled voxel."""
        ids = np.array([c.id for c in self.classes])
        return np.asarray(np.searchsorted(ids, self.labelled.values))

    @cached_property
    def bank(self) -> FilterBank:
        """The forest's filters."""
        return FilterBank(dims=self.choices.filter_dims, spacing=self.choices.spacing)

    @cached_property
    def folds(self) -> Folds:
        """Strokes in as many folds as there are networks."""
        count = self.settings.members
        return fold_labelled(
            self.labelled,
            max(count, FOLDS) if count else FOREST_FOLDS,
            guard=GUARD,
            spacing=self.choices.spacing,
            seed=self.settings.seed,
        )

    @cached_property
    def recipes(self) -> list[dict[str, Any]]:
        """Name and settings of each network."""
        return member_recipes(self.settings)

    @property
    def parameters(self) -> int:
        """Parameters of the networks made so far."""
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

    def describe(self) -> str:
        """Say what is trained and why, a sentence a line."""
        names = [str(recipe["name"]) for recipe in self.recipes]
        parts = [f"{names.count(name)} x {name}" for name in dict.fromkeys(names)]
        if self.settings.forest or not names:
            parts.insert(0, "a random forest")
        return "\n".join([f"{' and '.join(parts)} on {self.device}.", *self.reasons])

    def save(self) -> None:
        """Weigh the members that there are and write the model folder."""
        ready = [desk for desk in self.networks if desk.outcome.state]
        forest_share = self._forest_share(ready)
        members: list[MemberCard] = []
        tensors: list[dict[str, np.ndarray] | None] = []
        if self.forest is not None:
            members.append(
                MemberCard(
                    kind="forest",
                    file="member-00.safetensors",
                    weight=forest_share,
                    spec=self.bank.model_dump(mode="json"),
                )
            )
            tensors.append(self.forest.arrays())
        for desk in ready:
            members.append(
                MemberCard(
                    kind="network",
                    file=f"member-{len(members):02d}.safetensors",
                    weight=(1.0 - forest_share) / len(ready),
                    neighbours=self.choices.neighbours,
                    spec=desk.network.spec,
                )
            )
            state = desk.outcome.state
            tensors.append({name: tensor.numpy() for name, tensor in state.items()})
        if members:
            save_model(self.out, self._card(tuple(members)), tensors)
        self.changed = False

    def weigh_classes(self, blocks: int, edge: int) -> Iterator[Event]:
        """Ask the saved members how much of the volume each class takes, save that."""
        ensemble = load_ensemble(self.out, self.device)
        card = ensemble.card.model_copy(update={"correction": ()})
        bare = Ensemble(card, ensemble.members, self.device)
        seed = self.settings.seed
        found = yield from class_shares(
            bare, self.volume, blocks=blocks, edge=edge, seed=seed
        )
        paint = np.bincount(self.channels, minlength=len(self.classes))
        self.correction = correction(found, paint / paint.sum())
        self.save()

    def finish(self) -> None:
        """Write what is not yet written."""
        if self.changed:
            self.save()

    def _forest_share(self, ready: list[NetworkDesk]) -> float:
        """Weigh the families on held-out voxels; score what they say together."""
        if not ready or self.forest is None:
            default = 0.0 if self.forest is None else 1.0
        else:
            default = 0.5
        said = np.full((len(self.channels), len(self.classes)), np.nan)
        for desk in ready:
            if desk.outcome.logits is not None:
                said[desk.rows] = softmax(desk.outcome.logits.astype(float), axis=1)
        judged = np.isfinite(said[:, 0])
        votes = self.forest_says
        heard = np.zeros_like(judged) if votes is None else np.isfinite(votes[:, 0])
        both = judged & heard
        rows = both if both.any() else judged | heard
        if not rows.any() or (ready and not judged.any()):
            return default
        mixed = blend(
            self.channels[rows],
            votes[rows] if votes is not None and heard[rows].all() else None,
            said[rows] if judged[rows].all() else None,
        )
        self._score(mixed.probabilities, self.labelled.values[rows])
        return mixed.forest if default == 0.5 else default

    def _score(self, probabilities: np.ndarray, truth: np.ndarray) -> None:
        ids = [c.id for c in self.classes]
        matrix, calibration = ConfusionMatrix(ids), Calibration(ids)
        matrix.update(probabilities.T, truth)
        calibration.update(probabilities.T, truth)
        scores, trust = matrix.compute(), calibration.compute()
        self.metrics = {
            "macro_f1": scores.macro_f1,
            "accuracy": scores.accuracy,
            "calibration_error": trust.expected_calibration_error,
            "brier": trust.brier,
        }
        for label, value in zip(self.classes, scores.f1, strict=True):
            self.metrics[f"f1 {label.name}"] = value

    def _card(self, members: tuple[MemberCard, ...]) -> ModelCard:
        values, counts = np.unique(self.labelled.values, return_counts=True)
        history = [
            [{key: _number(value) for key, value in epoch.items()} for epoch in h]
            for h in (desk.outcome.history for desk in self.networks)
        ]
        return ModelCard(
            name=self.out.name.removesuffix(".sashiko-model"),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            classes=self.classes,
            channels=self.volume.channels,
            voxel_size=self.volume.voxel_size,
            unit=self.volume.unit,
            dims=2 if self.choices.dims == 2 else 3,
            normalisation=self.normalisation,
            members=members,
            correction=self.correction,
            patch={"edge": self.settings.patch, "neighbours": self.choices.neighbours},
            training={
                "settings": self.settings.model_dump(mode="json"),
                "reasons": self.reasons,
                "held_out": self.metrics,
                "history": history,
                "labels": {str(v): int(n) for v, n in zip(values, counts, strict=True)},
                "image": {"name": self.volume.name, "digest": self.volume.digest()},
                "seconds": round(time.monotonic() - self.started, 1),
                "versions": {
                    name: version(name)
                    for name in ("napari-sashiko", "torch", "numpy", "scikit-learn")
                },
            },
        )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
