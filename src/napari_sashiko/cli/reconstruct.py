"""``sashiko reconstruct SINOGRAMS -o OUT.zarr``: sinograms to a volume."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._blocks import blocks
from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Angles,
    Axes,
    Device,
    Json,
    Level,
    Order,
    Overwrite,
    RecipeFile,
    Set,
    Sinograms,
    absolute,
    collect,
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reconstruct)


def reconstruct(
    sinograms: Sinograms,
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
    overwrite: Overwrite = False,
    axes: Axes = None,
    level: Level = 0,
    recipe: RecipeFile = None,
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
    base = pipeline.read_recipe(recipe).reconstruct if recipe else {}
    values = collect(given, more, base)
    volume = pipeline.open_image(sinograms, axes=axes, level=level)
    with terminal(blocks) as shown:
        done = pipeline.reconstruct(
            volume, out, model=model, angles=angles, report=shown.show, **values
        )
    found = pipeline.open_reconstructed(out)
    facts = {
        "reconstruction": absolute(out),
        "images": list(found.images),
        "shape": list(found.shape),
        "blocks": found.total,
        "seconds": round(done.seconds, 3),
        "settings": pipeline.ReconstructSettings(**values).model_dump(mode="json"),
    }
    lines = [
        f"Reconstruction: {out}, {' x '.join(map(str, found.shape))} voxels",
        f"Images: {', '.join(found.images)}",
        f"Blocks: {found.total}, in {done.seconds:.1f} s",
    ]
    answer(facts, lines, as_json=json)
