"""What commands that train networks share: options, progress, the summary."""

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_sashiko.cli._console import Bar
from napari_sashiko.cli._options import OUT_OPTION, absolute
from napari_sashiko.pipeline import Event

NewModel = Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.sashiko-model")]
Network = Annotated[
    str | None, typer.Option(help="auto, or tunet, smsnet, msdnet, unet, ...")
]
Members = Annotated[int | None, typer.Option(help="Networks.")]
Dims = Annotated[str | None, typer.Option(help="auto, 2 or 3.")]
Minutes = Annotated[float | None, typer.Option(help="Most minutes.")]
Epochs = Annotated[
    int | None, typer.Option(help="Epochs of each network; no limit in minutes.")
]


def learning(event: Event) -> Bar | str | None:
    """Say what a training says, as a line or a bar."""
    from napari_sashiko.pipeline import EpochDone, TrainingStarted  # noqa: PLC0415

    if isinstance(event, TrainingStarted):
        return event.text
    if isinstance(event, EpochDone):
        return Bar(f"network {event.member + 1}", event.epoch, event.epochs)
    return None


def learned(done: Any, settings: Any) -> dict[str, Any]:
    """Sum a training up.

    Parameters
    ----------
    done : TrainingDone
        How it ended.
    settings : Settings
        With which it ran.
    """
    return {
        "model": absolute(done.path),
        "metrics": dict(done.metrics),
        "seconds": round(done.seconds, 3),
        "settings": settings.model_dump(mode="json"),
    }
