"""``sashiko train-reconstruct SINOGRAMS IMAGES -o MODEL``: learn to reconstruct."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._learning import (
    Epochs,
    Members,
    Minutes,
    NewModel,
    learned,
    learning,
)
from napari_sashiko.cli._options import (
    Angles,
    Axes,
    Device,
    Json,
    Level,
    Order,
    RecipeFile,
    Seed,
    Set,
    Sinograms,
    collect,
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train_reconstruct)


def train_reconstruct(
    sinograms: Sinograms,
    images: Annotated[Path, typer.Argument(help="Slices (slice, y, x), as many.")],
    out: NewModel,
    *,
    angles: Angles = None,
    order: Order = None,
    network: Annotated[
        str | None,
        typer.Option(help="auto, conv_reconstruct, dense_reconstruct or automap."),
    ] = None,
    members: Members = None,
    minutes: Minutes = None,
    epochs: Epochs = None,
    device: Device = None,
    seed: Seed = None,
    axes: Axes = None,
    level: Level = 0,
    recipe: RecipeFile = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Learn to make slices of sinograms; `reconstruct --model` then makes volumes."""
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch when it trains

    given = {
        "order": order,
        "network": network,
        "members": members,
        "minutes": minutes,
        "epochs": epochs,
        "device": device,
        "seed": seed,
    }
    base = pipeline.read_recipe(recipe).train_reconstruct if recipe else {}
    values = collect(given, more, base)
    volume = pipeline.open_image(sinograms, axes=axes, level=level)
    with terminal(learning) as shown:
        done = pipeline.train_reconstruct(
            volume, images, out, angles=angles, report=shown.show, **values
        )
    facts = learned(done, pipeline.train_reconstruct_settings(**values))
    lines = [
        f"Model: {done.path}",
        f"Loss on held-out slices: {facts['metrics']['held_out_loss']:.4g}",
    ]
    answer(facts, lines, as_json=json)
