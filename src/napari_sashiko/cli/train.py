"""``sashiko train IMAGE LABELS -o MODEL``: train an ensemble on sparse labels.

``sashiko train FOLDER -o MODEL`` takes a folder of pictures with their labels.
"""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import Bar, answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Axes,
    Device,
    Json,
    Level,
    RecipeFile,
    Set,
    absolute,
    collect,
)
from napari_sashiko.pipeline import Event


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


def train(
    image: Annotated[
        Path,
        typer.Argument(
            help="Volume, any readable format; or a folder of pictures, "
            "train/images and train/labels."
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Argument(help="Sparse labels; 0: not labelled. None for a folder."),
    ] = None,
    *,
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.sashiko-model")],
    network: Annotated[
        str | None,
        typer.Option(help="auto, or tunet, smsnet, msdnet, unet, ..."),
    ] = None,
    members: Annotated[int | None, typer.Option(help="Networks.")] = None,
    dims: Annotated[str | None, typer.Option(help="auto, 2 or 3.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Most minutes.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of each network; no limit in minutes.")
    ] = None,
    device: Device = None,
    seed: Annotated[int | None, typer.Option(help="Fixes every random choice.")] = None,
    classes: Annotated[
        str | None, typer.Option(help="Names in the order of the ids: cement,fibre.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="Model whose networks go on learning."),
    ] = None,
    unlabelled: Annotated[
        str | None,
        typer.Option(
            help="In a folder: value of pixels that are not labelled, 0; or none."
        ),
    ] = None,
    pixels: Annotated[
        int | None,
        typer.Option(help="In a folder: labelled pixels that are learned from."),
    ] = None,
    axes: Axes = None,
    level: Level = 0,
    recipe: RecipeFile = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Train an ensemble on sparse labels and write a model folder."""
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch when it trains

    given = {
        "network": network,
        "members": members,
        "dims": dims,
        "minutes": minutes,
        "epochs": epochs,
        "device": device,
        "seed": seed,
    }
    base = pipeline.read_recipe(recipe).train if recipe else {}
    values = collect(given, more, base)
    # A folder is looked at picture by picture, so that one of them may be damaged.
    whole = labels is None
    volume = image if whole else pipeline.open_image(image, axes=axes, level=level)
    names = None if classes is None else classes.split(",")
    given = {"unlabelled": unlabelled, "pixels": pixels}
    folder = {key: value for key, value in given.items() if value is not None}
    with terminal(_translate) as shown:
        done = pipeline.train(
            volume,
            labels,
            out,
            classes=names,
            start=start,
            folder=folder,
            report=shown.show,
            **values,
        )
    metrics = dict(done.metrics)
    facts = {
        "model": absolute(done.path),
        "metrics": metrics,
        "fairness": done.fairness,
        "seconds": round(done.seconds, 3),
        "settings": pipeline.training_settings(**values).model_dump(mode="json"),
    }
    scores = pipeline.HeldOutScores(metrics, done.fairness)
    lines = [f"Model: {done.path}", *pipeline.score_lines(scores)]
    answer(facts, lines, as_json=json)


def _translate(event: Event) -> Bar | str | None:
    from napari_sashiko.pipeline import EpochDone, TrainingStarted  # noqa: PLC0415

    if isinstance(event, TrainingStarted):
        return event.text
    if isinstance(event, EpochDone):
        return Bar(f"network {event.member + 1}", event.epoch, event.epochs)
    return None
