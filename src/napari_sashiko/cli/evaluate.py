"""``sashiko evaluate OUT.zarr TRUTH``: score a prediction.

``sashiko evaluate RESULTS TRUTH`` does so for results of a folder of pictures, for a
restored image, and for a reconstruction.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_sashiko.cli._console import answer
from napari_sashiko.cli._evaluate_pictures import evaluate_pictures
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Axes,
    Json,
    Part,
    absolute,
    class_of,
    refuse,
)

IMAGES = ("restored image", "reconstruction")
COLUMNS = ("f1", "iou", "precision", "recall", "dice")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    prediction: Annotated[
        Path,
        typer.Argument(
            help="NAME.zarr of a prediction, restored image or reconstruction; results "
            "of apply."
        ),
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            help="Class ids 1..C, 0: not scored; a clean image; of pictures, label or "
            "clean ones."
        ),
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
    only: Annotated[
        Path | None,
        typer.Option(help="Of an image: voxels 0 here are not scored."),
    ] = None,
    part: Part = None,
    axes: Axes = None,
    json: Json = False,
) -> None:
    """Score a prediction, results of a folder, a restored image or reconstruction."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    if pipeline.is_results(prediction):
        given = {"--ignore": ignore, "--only": only, "--part": part}
        refuse(given, "a prediction of a volume")
        evaluate_pictures(
            prediction, truth, out, class_of(label_class), overlays=overlays, json=json
        )
        return
    true = pipeline.open_image(truth, axes=axes) if axes else truth
    refuse({"--out": out, "--class": label_class}, "results of sashiko apply")
    kind = pipeline.kind_of(prediction)
    if kind in IMAGES:
        found = pipeline.evaluate_image(
            prediction, true, ignore=ignore, only=only, part=part
        )
        name = "restored" if kind == IMAGES[0] else kind
        _answer_image({name: absolute(prediction)}, found, json=json)
        return
    given = {"--only": only, "--part": part}
    refuse(given, "a restored image or a reconstruction")
    scores = pipeline.evaluate(prediction, true, ignore=ignore)
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


def _answer_image(facts: dict[str, Any], found: Any, *, json: bool) -> None:
    """Say how near an image is to its truth."""
    errors = found.errors
    lines = [
        (
            f"correlation {errors.pearson:.4f}, PSNR {errors.psnr:.2f} dB, "
            f"SSIM {found.ssim:.3f}"
        ),
        (
            f"mean absolute error {errors.mean_absolute_error:.4g}, root mean square "
            f"error {errors.root_mean_square_error:.4g}, {errors.voxels} voxels"
        ),
    ]
    answer({**facts, **found.record()}, lines, as_json=json)
