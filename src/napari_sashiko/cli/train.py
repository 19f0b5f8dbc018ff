"""``sashiko train IMAGE LABELS -o MODEL``: train an ensemble on sparse labels.

``sashiko train FOLDER -o MODEL`` takes a folder of pictures with their labels.
"""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._learning import (
    Dims,
    Epochs,
    Members,
    Minutes,
    Network,
    NewModel,
    learned,
    learning,
)
from napari_sashiko.cli._options import (
    Axes,
    Device,
    Json,
    Level,
    RecipeFile,
    Seed,
    Set,
    collect,
    refuse,
)


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
    out: NewModel,
    network: Network = None,
    members: Members = None,
    dims: Dims = None,
    minutes: Minutes = None,
    epochs: Epochs = None,
    device: Device = None,
    seed: Seed = None,
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
    if whole:
        refuse({"--axes": axes, "--level": level or None}, "a volume with LABELS")
    folder = {key: value for key, value in given.items() if value is not None}
    with terminal(learning) as shown:
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
    facts = learned(done, pipeline.training_settings(**values))
    facts["fairness"] = done.fairness
    scores = pipeline.HeldOutScores(facts["metrics"], done.fairness)
    lines = [f"Model: {done.path}", *pipeline.score_lines(scores)]
    answer(facts, lines, as_json=json)
