"""What a model keeps of its held-out strokes, for whoever tells people of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_sashiko.metrics import overall_scores, scores_by_class

STD = "_std"
NAMES = {
    "macro_f1": "macro F1",
    "mean_iou": "mean IoU",
    "calibration_error": "calibration error",
    "brier": "Brier score",
    "f1": "F1",
    "iou": "IoU",
}


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


def model_scores(model: Path | str) -> HeldOutScores:
    """Read what a model folder keeps of its held-out strokes.

    Raises
    ------
    ModelError
        If it is damaged, from a newer version, or not a model.
    """
    from napari_sashiko.checkpoints import load_card  # noqa: PLC0415 - loads torch

    return held_out_scores(load_card(Path(model)).training)


def score_lines(scores: HeldOutScores) -> tuple[str, ...]:
    """Lines for people: all classes together, then class by class."""
    if not scores.overall:
        return ()
    lines = [f"On held-out strokes: {_in_words(scores.overall)}"]
    for name, each in scores.by_class.items():
        lines.append(f"  {name}: {_in_words(each)}")
    return (*lines, scores.fairness) if scores.fairness else tuple(lines)


def _in_words(scores: Mapping[str, float]) -> str:
    """Scores by name, each with its deviation over the members if there is one."""
    words = []
    for name, value in scores.items():
        if name.endswith(STD):
            continue
        std = scores.get(name + STD)
        spread = "" if std is None else f" ± {std:.3f}"
        words.append(f"{NAMES.get(name, name)} {value:.3f}{spread}")
    return ", ".join(words)
