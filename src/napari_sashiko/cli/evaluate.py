"""``sashiko evaluate OUT.zarr TRUTH``: score a prediction.

``sashiko evaluate RESULTS TRUTH`` does so for results of a folder of pictures.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_sashiko.cli._console import answer
from napari_sashiko.cli._evaluate_pictures import evaluate_pictures, refuse
from napari_sashiko.cli._options import OUT_OPTION, Json, absolute, class_of

COLUMNS = ("f1", "iou", "precision", "recall", "dice")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    prediction: Annotated[
        Path,
        typer.Argument(help="NAME.zarr of a prediction, or results of sashiko apply."),
    ],
    truth: Annotated[
        Path,
        typer.Argument(help="Class ids 1..C, 0: not scored; or label pictures."),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            *OUT_OPTION,
            help="Of pictures: folder for table and overlays; RESULTS/evaluation.",
        ),
    ] = None,
    label_class: Annotated[
        str | None,
        typer.Option("--class", help="Of pictures: class that overlays are drawn of."),
    ] = None,
    overlays: Annotated[
        bool, typer.Option(help="Of pictures: draw where they are wrong.")
    ] = True,
    ignore: Annotated[
        Path | None, typer.Option(help="Voxels not 0 here are not scored.")
    ] = None,
    json: Json = False,
) -> None:
    """Print F1, IoU, precision, recall, Dice, their means, accuracy and calibration."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    if pipeline.is_results(prediction):
        refuse({"--ignore": ignore}, "a prediction of a volume")
        evaluate_pictures(
            prediction, truth, out, class_of(label_class), overlays=overlays, json=json
        )
        return
    refuse({"--out": out, "--class": label_class}, "results of sashiko apply")
    scores = pipeline.evaluate(prediction, truth, ignore=ignore)
    facts = {"prediction": absolute(prediction), **scores.record()}
    rows: list[tuple[str, Any, int]] = [
        (each.name, each, each.support) for each in scores.classes
    ]
    rows += [("macro mean", scores.macro, scores.voxels)]
    rows += [("micro mean", scores.micro, scores.voxels)]
    width = max(len(name) for name, _, _ in rows)
    lines = [" " * width + "".join(f"{name:>11}" for name in COLUMNS) + "     voxels"]
    for name, each, voxels in rows:
        numbers = "".join(f"{getattr(each, column):11.3f}" for column in COLUMNS)
        lines.append(f"{name:<{width}}{numbers}{voxels:11d}")
    lines += [
        (
            f"accuracy {scores.accuracy:.3f}, macro F1 {scores.macro_f1:.3f}, "
            f"mean IoU {scores.mean_iou:.3f}"
        ),
        (
            f"calibration error {scores.expected_calibration_error:.3f}, "
            f"Brier {scores.brier:.3f}"
        ),
    ]
    answer(facts, lines, as_json=json)
