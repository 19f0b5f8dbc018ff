"""``sashiko restore IMAGE -o MODEL``: learn to denoise, or to fill gaps."""

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
    app.command()(restore)


def restore(
    image: Annotated[Path, typer.Argument(help="Volume, any readable format.")],
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.sashiko-model")],
    *,
    clean: Annotated[
        Path | None,
        typer.Option(help="The image as it should be; without, noise alone is shown."),
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
    members: Annotated[int | None, typer.Option(help="Networks.")] = None,
    dims: Annotated[str | None, typer.Option(help="auto, 2 or 3.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Most minutes.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of each network; no limit in minutes.")
    ] = None,
    device: Device = None,
    seed: Annotated[int | None, typer.Option(help="Fixes every random choice.")] = None,
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
    volume = pipeline.open_image(image, axes=axes, level=level)
    with terminal(_translate) as shown:
        done = pipeline.restore(volume, out, clean=clean, report=shown.show, **values)
    metrics = dict(done.metrics)
    facts = {
        "model": absolute(done.path),
        "metrics": metrics,
        "seconds": round(done.seconds, 3),
        "settings": pipeline.restore_settings(**values).model_dump(mode="json"),
    }
    lines = [
        f"Model: {done.path}",
        f"Loss on held-out blocks: {metrics['held_out_loss']:.4g}",
    ]
    answer(facts, lines, as_json=json)


def _translate(event: Event) -> Bar | str | None:
    from napari_sashiko.pipeline import EpochDone, TrainingStarted  # noqa: PLC0415

    if isinstance(event, TrainingStarted):
        return event.text
    if isinstance(event, EpochDone):
        return Bar(f"network {event.member + 1}", event.epoch, event.epochs)
    return None
