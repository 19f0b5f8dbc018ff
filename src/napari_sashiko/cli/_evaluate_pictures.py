"""What ``sashiko evaluate`` says about results of a folder of pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._options import absolute

COLUMNS = ("f1", "iou", "precision", "recall", "dice", "accuracy")
RESTORED = {
    "pearson": "pearson",
    "psnr": "psnr",
    "ssim": "ssim",
    "mean_absolute_error": "mae",
    "root_mean_square_error": "rmse",
}

Row = Mapping[str, Any]


def evaluate_pictures(
    results: Path,
    truth: Path,
    out: Path | None,
    label_class: str | int | None,
    *,
    overlays: bool,
    json: bool,
) -> None:
    """Write table and overlays; print the scores over all pictures."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    with terminal() as shown:
        done = pipeline.evaluate_folder(
            results,
            truth,
            out,
            label_class=label_class,
            overlays=overlays,
            report=shown.show,
        )
    facts = {
        "results": absolute(results),
        "table": absolute(Path(done.table)),
        "overlays": absolute(Path(done.overlays)) if done.overlays else None,
        "pictures": done.pictures,
        "problems": dict(done.problems),
        "scores": list(done.rows),
        "seconds": round(done.seconds, 3),
    }
    restored = "class" not in done.rows[0]
    lines = _of_restored(done.rows[0]) if restored else _of_classes(done.rows)
    lines += [f"Pictures: {done.pictures}", f"Table: {done.table}"]
    if done.overlays:
        lines.append(f"Overlays (too much green, too little magenta): {done.overlays}")
    answer(facts, lines, as_json=json)


def _of_classes(rows: Sequence[Row]) -> list[str]:
    """A row for each class, and what is said of all."""
    width = max(len(str(row["class"])) for row in rows)
    lines = [" " * width + "".join(f"{name:>11}" for name in COLUMNS) + "     pixels"]
    for row in rows:
        numbers = "".join(f"{_number(row[name]):>11}" for name in COLUMNS)
        lines.append(f"{row['class']:<{width}}{numbers}{row['pixels']:11d}")
    macro, micro = rows[-2:]
    overall = {
        "accuracy": macro["accuracy"],
        "macro F1": macro["f1"],
        "micro F1": micro["f1"],
        "mean IoU": macro["iou"],
    }
    return [*lines, ", ".join(f"{name} {_number(n)}" for name, n in overall.items())]


def _of_restored(mean: Row) -> list[str]:
    """The mean over pictures."""
    heads = "".join(f"{name:>11}" for name in RESTORED.values())
    numbers = "".join(f"{_number(mean[key], '.4g'):>11}" for key in RESTORED)
    label = str(mean["picture"])
    return [
        " " * len(label) + heads + "     pixels",
        f"{label}{numbers}{mean['pixels']:11d}",
    ]


def _number(score: Any, digits: str = ".3f") -> str:
    return "-" if score is None else format(score, digits)
