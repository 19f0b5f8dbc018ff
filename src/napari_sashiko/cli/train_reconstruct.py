"""``sashiko train-reconstruct SINOGRAMS IMAGES -o MODEL``: learn to reconstruct."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import Bar, answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Angles,
    Axes,
    Device,
    Json,
    Order,
    Set,
    absolute,
    collect,
)
from napari_sashiko.pipeline import Event


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train_reconstruct)


def train_reconstruct(
    sinograms: Annotated[
        Path, typer.Argument(help="Stack (slice, angle, detector), any format.")
    ],
    images: Annotated[Path, typer.Argument(help="Slices (slice, y, x), as many.")],
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.sashiko-model")],
    *,
    angles: Angles = None,
    order: Order = None,
    network: Annotated[
        str | None,
        typer.Option(help="auto, conv_reconstruct, dense_reconstruct or automap."),
    ] = None,
    members: Annotated[int | None, typer.Option(help="Networks.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Most minutes.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of each network; no limit in minutes.")
    ] = None,
    device: Device = None,
    seed: Annotated[int | None, typer.Option(help="Fixes every random choice.")] = None,
    axes: Axes = None,
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
    values = collect(given, more, {})
    volume = pipeline.open_image(sinograms, axes=axes)
    with terminal(_translate) as shown:
        done = pipeline.train_reconstruct(
            volume, images, out, angles=angles, report=shown.show, **values
        )
    metrics = dict(done.metrics)
    chosen = pipeline.train_reconstruct_settings(**values)
    facts = {
        "model": absolute(done.path),
        "metrics": metrics,
        "seconds": round(done.seconds, 3),
        "settings": chosen.model_dump(mode="json"),
    }
    lines = [
        f"Model: {done.path}",
        f"Loss on held-out slices: {metrics['held_out_loss']:.4g}",
    ]
    answer(facts, lines, as_json=json)


def _translate(event: Event) -> Bar | str | None:
    from napari_sashiko.pipeline import EpochDone, TrainingStarted  # noqa: PLC0415

    if isinstance(event, TrainingStarted):
        return event.text
    if isinstance(event, EpochDone):
        return Bar(f"network {event.member + 1}", event.epoch, event.epochs)
    return None
