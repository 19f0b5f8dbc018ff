"""``sashiko explore IMAGE -o MODEL``: learn what the patches of an image are like."""

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
    app.command()(explore)


def explore(
    image: Annotated[Path, typer.Argument(help="Volume, any readable format.")],
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.sashiko-model")],
    *,
    network: Annotated[str | None, typer.Option(help="autoencoder or vae.")] = None,
    latent: Annotated[
        int | None, typer.Option(help="Numbers that are kept of a patch.")
    ] = None,
    patch: Annotated[int | None, typer.Option(help="Edge of a patch, voxels.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Most minutes.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs; no limit in minutes.")
    ] = None,
    device: Device = None,
    seed: Annotated[int | None, typer.Option(help="Fixes every random choice.")] = None,
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
        "minutes": minutes,
        "epochs": epochs,
        "device": device,
        "seed": seed,
    }
    base = pipeline.read_recipe(recipe).explore if recipe else {}
    values = collect(given, more, base)
    volume = pipeline.open_image(image, axes=axes, level=level)
    with terminal(_translate) as shown:
        done = pipeline.explore(volume, out, report=shown.show, **values)
    metrics = dict(done.metrics)
    facts = {
        "model": absolute(done.path),
        "metrics": metrics,
        "seconds": round(done.seconds, 3),
        "settings": pipeline.explore_settings(**values).model_dump(mode="json"),
    }
    quality = f"{metrics['correlation']:.3f}"
    lines = [
        f"Model: {done.path}",
        f"Held-out patches correlate with what is made of them: {quality}",
    ]
    answer(facts, lines, as_json=json)


def _translate(event: Event) -> Bar | str | None:
    from napari_sashiko.pipeline import EpochDone, TrainingStarted  # noqa: PLC0415

    if isinstance(event, TrainingStarted):
        return event.text
    if isinstance(event, EpochDone):
        return Bar("network", event.epoch, event.epochs)
    return None
