"""What a model keeps of its held-out strokes, for whoever tells people of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_sashiko.metrics import overall_scores, scores_by_class


@dataclass(frozen=True)
class HeldOutScores:
    """Scores of a model on strokes that its members have not learned from.

    Attributes
    ----------
    metrics : dict
        Scores by name, as `TrainingDone` has them; empty where nothing was held out.
    fairness : str
        How far from learned paint they were taken; empty in older models.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    fairness: str = ""

    @property
    def overall(self) -> dict[str, float]:
        """Scores of all classes together, by name."""
        return overall_scores(self.metrics)

    @property
    def by_class(self) -> dict[str, dict[str, float]]:
        """Scores by name of each class, by its name."""
        return scores_by_class(self.metrics)


def held_out_scores(training: Mapping[str, Any]) -> HeldOutScores:
    """Read the training record of a model card, whatever is in it."""
    found = training.get("held_out")
    metrics = {
        str(name): float(value)
        for name, value in (found.items() if isinstance(found, dict) else ())
        if isinstance(value, int | float) and math.isfinite(value)
    }
    words = training.get("held_out_fairness")
    return HeldOutScores(metrics, words if isinstance(words, str) else "")


def scores_in_words(training: Mapping[str, Any]) -> tuple[str, ...]:
    """Lines for people: all classes together, then class by class."""
    scores = held_out_scores(training)
    if not scores.overall:
        return ()
    words = ", ".join(f"{name} {value:.3f}" for name, value in scores.overall.items())
    lines = [f"On held-out strokes: {words}"]
    for name, each in scores.by_class.items():
        lines.append(f"  {name}: {_of_class(each)}")
    return (*lines, scores.fairness) if scores.fairness else tuple(lines)


def _of_class(scores: Mapping[str, float]) -> str:
    words = []
    if "f1" in scores:
        spread = f" ± {scores['f1_std']:.3f}" if "f1_std" in scores else ""
        words.append(f"F1 {scores['f1']:.3f}{spread}")
    if "iou" in scores:
        words.append(f"IoU {scores['iou']:.3f}")
    return ", ".join(words)
