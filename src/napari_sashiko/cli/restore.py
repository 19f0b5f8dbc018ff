"""``sashiko restore IMAGE -o MODEL``: learn to denoise, or to fill gaps."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._learning import (
    Dims,
    Epochs,
    Members,
    Minutes,
    NewModel,
    learned,
    learning,
)
from napari_sashiko.cli._options import (
    Axes,
    Device,
    ImageOrFolder,
    Json,
    Level,
    RecipeFile,
    Seed,
    Set,
    collect,
)
from napari_sashiko.cli._pictures import volume_or_folder


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(restore)


def restore(
    image: ImageOrFolder,
    out: NewModel,
    *,
    clean: Annotated[
        Path | None,
        typer.Option(
            help="The image as it should be, of a folder another one; without, noise "
            "alone is shown."
        ),
    ] = None,
    gaps: Annotated[
        bool, typer.Option("--gaps", help="Fill what was not measured: NaN.")
    ] = False,
    missing: Annotated[
        float | None,
        typer.Option(help="Grey value of what was not measured, beside NaN."),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(help="auto, or tunet, unet, ..., autoencoder, vae."),
    ] = None,
    members: Members = None,
    dims: Dims = None,
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
    """Learn to take noise away, or to fill gaps; `predict` then makes the image."""
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch when it trains

    given = {
        "gaps": gaps or None,
        "missing": missing,
        "network": network,
        "members": members,
        "dims": dims,
        "minutes": minutes,
        "epochs": epochs,
        "device": device,
        "seed": seed,
    }
    base = pipeline.read_recipe(recipe).restore if recipe else {}
    values = collect(given, more, base)
    volume = volume_or_folder(image, axes, level)
    with terminal(learning) as shown:
        done = pipeline.restore(volume, out, clean=clean, report=shown.show, **values)
    facts = learned(done, pipeline.restore_settings(**values))
    lines = [
        f"Model: {done.path}",
        f"Loss on held-out blocks: {facts['metrics']['held_out_loss']:.4g}",
    ]
    answer(facts, lines, as_json=json)
