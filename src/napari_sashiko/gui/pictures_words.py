"""Folders of pictures in words: what there is, how good results are."""

from collections.abc import Sequence
from html import escape
from typing import Any

NAMED = 3  # problems that are named, the others counted
PARTS = {"train": "to learn from", "validate": "to judge by", "test": "to test"}
SCORES = {
    "f1": "F1",
    "iou": "IoU",
    "precision": "prec.",
    "recall": "recall",
    "dice": "Dice",
}
OF_RESTORED = {
    "pearson": "Pearson",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "mean_absolute_error": "MAE",
    "root_mean_square_error": "RMSE",
}


def folder_words(found: Any) -> str:
    """Counts, classes, and what is the matter with a folder."""
    lines = [f"{_parts(found)}."]
    if found.classes:
        total = max(sum(each.pixels for each in found.classes), 1)
        classes = ", ".join(
            f"{each.label_class.name} ({each.value}) {100 * each.pixels / total:.2g} %"
            for each in found.classes
        )
        lines.append(f"{len(found.classes)} classes: {classes}.")
    if found.missing:
        lines.append(found.missing)
    return "\n".join([*lines, *problem_lines(found.problems)])


def _parts(found: Any) -> str:
    if "" in found.parts:
        count = found.parts[""]
        if not found.learned:
            return f"{count} pictures"
        return f"{count} pictures, {found.learned} to learn from"
    words = [f"{n} {PARTS[part]}" for part, n in found.parts.items()]
    return f"{sum(found.parts.values())} pictures: {', '.join(words)}"


def problem_lines(problems: Sequence[str]) -> list[str]:
    """Name some of the problems, and count the others."""
    rest = len(problems) - NAMED
    lines = [str(each) for each in problems[:NAMED]]
    return [*lines, f"So are {rest} others."] if rest > 0 else lines


def done_words(event: Any, done: str) -> str:
    """What came of a model and a folder; `done` is what it does to pictures."""
    parts = [f"{event.written} {done}"]
    if event.kept:
        parts.append(f"{event.kept} were there")
    if event.problems:
        parts.append(f"{len(event.problems)} without a result")
    lines = [f"Pictures: {', '.join(parts)}."]
    problems = [f"{name}: {why}" for name, why in event.problems]
    return "\n".join([*lines, *problem_lines(problems)])


def compared_words(event: Any) -> str:
    """What came of scoring results."""
    lines = [f"{event.pictures} pictures were compared; scores.csv has each of them."]
    problems = [f"{name}: {why}" for name, why in event.problems]
    return "\n".join([*lines, *problem_lines(problems)])


def score_table(rows: Sequence[Any]) -> str:
    """Scores over all pictures as a table: a row for each class, or the mean."""
    restored = "class" not in rows[0]
    scores, digits = (OF_RESTORED, ".4g") if restored else (SCORES, ".3f")
    label = "picture" if restored else "class"
    heads = "".join(f"<td align='right'>&nbsp;{name}</td>" for name in scores.values())
    body = "".join(
        f"<tr><td>{escape(str(row[label]))}</td>"
        + "".join(
            f"<td align='right'>&nbsp;{_score(row[key], digits)}</td>" for key in scores
        )
        + "</tr>"
        for row in rows
    )
    return f"<table cellspacing='3'><tr><td></td>{heads}</tr>{body}</table>"


def _score(value: float | None, digits: str) -> str:
    return "-" if value is None else format(value, digits)
