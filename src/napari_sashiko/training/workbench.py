"""A run whose networks all learn from the same material: its state and its course."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_sashiko.checkpoints import MemberCard, ModelCard
from napari_sashiko.runners import Event, Tick
from napari_sashiko.training._record import history_of, versions
from napari_sashiko.training._writing import Written, write_members
from napari_sashiko.training.crew import Crew
from napari_sashiko.training.events import TrainingStarted
from napari_sashiko.training.learning import FitSettings
from napari_sashiko.training.network_desk import NetworkDesk
from napari_sashiko.training.supply import Material, Supply
from napari_sashiko.volumes import Volume

PAUSE = 0.02  # seconds between looks at networks


@dataclass(kw_only=True)
class Workbench(ABC):
    """What such a run is given, and its networks so far.

    Parameters
    ----------
    settings : FitSettings
        What a user may set.
    device : torch.device
        Where networks learn.
    out : Path
        The model folder.
    started : float
        By the monotonic clock.
    """

    settings: FitSettings
    device: torch.device
    out: Path
    started: float
    is_live: bool = False
    networks: list[NetworkDesk] = field(default_factory=list)
    changed: bool = False
    saved: float = -np.inf
    cost: float = 0.0
    written: Written = field(default_factory=dict)

    @property
    def neighbours(self) -> int:
        """Slices on either side that a network sees as channels."""
        return 0

    @abstractmethod
    def card(self, members: tuple[MemberCard, ...]) -> ModelCard:
        """What the model is, with these members."""

    def facts(self, volume: Volume, **more: Any) -> dict[str, Any]:
        """Fields of the card that every run fills alike; `more` is of its training."""
        return {
            "name": self.out.name.removesuffix(".sashiko-model"),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "classes": (),
            "training": {
                "settings": self.settings.model_dump(mode="json"),
                "history": [history_of(network) for network in self.networks],
                "image": {"name": volume.name, "digest": volume.digest()},
                "seconds": round(time.monotonic() - self.started, 1),
                "versions": versions(),
                **more,
            },
        }

    def save(self) -> None:
        """Write the model folder with the best networks so far, of equal weight."""
        started = time.monotonic()
        ready = [(n, n.outcome.best) for n in self.networks if n.outcome.best]
        self.changed = False
        if ready:
            members = [
                MemberCard(
                    kind="network",
                    weight=1 / len(ready),
                    neighbours=self.neighbours,
                    spec=network.network.spec,
                )
                for network, _ in ready
            ]
            learned = [best for _, best in ready]
            write_members(self.out, members, learned, self.written, self.card)
        self.saved = time.monotonic()
        self.cost = self.saved - started

    def learn(
        self,
        material: Material,
        introduction: TrainingStarted,
        on_the_way: Callable[[], None] | None = None,
    ) -> Generator[Event, None, float]:
        """Let all networks learn; what they have learned is saved, also when closed.

        Parameters
        ----------
        material : Material
            What each of them learns from.
        introduction : TrainingStarted
            Told first.
        on_the_way : callable, optional
            Saves while they learn; `save` if left out.

        Returns
        -------
        float
            Mean of their best losses on what was held out; NaN where none was judged.
        """
        crew = Crew(self, on_the_way or self.save)
        crew.supply(*(Supply(material) for _ in self.networks))
        try:
            yield introduction
            crew.start()
            while crew.running:
                yield from crew.listen()
                yield Tick()
                time.sleep(PAUSE)
            yield from crew.listen()
        finally:
            crew.stop()
            if self.changed:
                self.save()
        losses = [n.outcome.best.loss for n in self.networks if n.outcome.best]
        return float(np.mean(losses)) if losses else float("nan")
