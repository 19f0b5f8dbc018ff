"""``sashiko reconstruct SINOGRAMS -o OUT.zarr``: sinograms to a volume."""

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
from napari_sashiko.pipeline import CellDone, Event, PredictionStarted


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reconstruct)


def reconstruct(
    sinograms: Annotated[
        Path, typer.Argument(help="Stack (slice, angle, detector), any format.")
    ],
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.zarr")],
    *,
    model: Annotated[
        Path | None,
        typer.Option(help="Model folder; without, filtered back-projection alone."),
    ] = None,
    angles: Angles = None,
    order: Order = None,
    filter_name: Annotated[
        str | None,
        typer.Option(
            "--filter", help="ramp, shepp-logan, cosine, hamming, hann or none."
        ),
    ] = None,
    device: Device = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew where one exists.")
    ] = False,
    axes: Axes = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Make a volume of sinograms by back-projection, and by a model; resumes."""
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch with a model

    given = {
        "order": order,
        "filter": filter_name,
        "device": device,
        "overwrite": overwrite or None,
    }
    values = collect(given, more, {})
    volume = pipeline.open_image(sinograms, axes=axes)
    with terminal(_translate) as shown:
        done = pipeline.reconstruct(
            volume, out, model=model, angles=angles, report=shown.show, **values
        )
    found = pipeline.open_reconstructed(out)
    shape = next(iter(found.images.values())).shape[1:]
    facts = {
        "reconstruction": absolute(out),
        "images": list(found.images),
        "shape": list(shape),
        "blocks": found.total,
        "seconds": round(done.seconds, 3),
        "settings": pipeline.ReconstructSettings(**values).model_dump(mode="json"),
    }
    lines = [
        f"Reconstruction: {out}, {' x '.join(map(str, shape))} voxels",
        f"Images: {', '.join(found.images)}",
        f"Blocks: {found.total}, in {done.seconds:.1f} s",
    ]
    answer(facts, lines, as_json=json)


def _translate(event: Event) -> Bar | str | None:
    if isinstance(event, PredictionStarted):
        if event.done:
            return f"Going on: {event.done} of {event.cells} blocks were finished."
        return f"Blocks: {event.cells}."
    if isinstance(event, CellDone):
        return Bar("blocks", event.done, event.total)
    return None
