"""``sashiko explore IMAGE -o MODEL``: learn what the patches of an image are like."""

from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._learning import (
    Epochs,
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
    app.command()(explore)


def explore(
    image: ImageOrFolder,
    out: NewModel,
    *,
    network: Annotated[str | None, typer.Option(help="autoencoder or vae.")] = None,
    latent: Annotated[
        int | None, typer.Option(help="Numbers that are kept of a patch.")
    ] = None,
    patch: Annotated[int | None, typer.Option(help="Edge of a patch, voxels.")] = None,
    shrink: Annotated[
        int | None,
        typer.Option(help="Voxels along y and x whose mean is one of a patch; 1."),
    ] = None,
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
    """Learn to keep a few numbers of each patch; `embed` then compares patches."""
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch when it trains

    given = {
        "network": network,
        "latent": latent,
        "patch": patch,
        "shrink": shrink,
        "minutes": minutes,
        "epochs": epochs,
        "device": device,
        "seed": seed,
    }
    base = pipeline.read_recipe(recipe).explore if recipe else {}
    values = collect(given, more, base)
    volume = volume_or_folder(image, axes, level)
    with terminal(learning) as shown:
        done = pipeline.explore(volume, out, report=shown.show, **values)
    facts = learned(done, pipeline.explore_settings(**values))
    quality = f"{facts['metrics']['correlation']:.3f}"
    lines = [
        f"Model: {done.path}",
        f"Held-out patches correlate with what is made of them: {quality}",
    ]
    answer(facts, lines, as_json=json)
