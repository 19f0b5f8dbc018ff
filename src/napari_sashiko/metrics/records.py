"""Names of scores where they are kept flat: ``macro_f1``, ``f1 CLASS``."""

from collections.abc import Mapping

OF_CLASS = ("f1", "f1_std", "iou")


def name_of(score: str, class_name: str) -> str:
    """Name of a class's score, one of ``OF_CLASS``."""
    return f"{score} {class_name}"


def scores_by_class(metrics: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Scores of each class, e.g. ``{"fibre": {"f1": 0.9, "iou": 0.82}}``.

    Parameters
    ----------
    metrics : mapping of str to float
        Scores by name; those of no class are left out.
    """
    found: dict[str, dict[str, float]] = {}
    for key, value in metrics.items():
        score, _, class_name = key.partition(" ")
        if class_name and score in OF_CLASS:
            found.setdefault(class_name, {})[score] = value
    return found


def overall_scores(metrics: Mapping[str, float]) -> dict[str, float]:
    """Scores of all classes together, e.g. ``{"macro_f1": 0.9}``."""
    return {key: value for key, value in metrics.items() if " " not in key}
