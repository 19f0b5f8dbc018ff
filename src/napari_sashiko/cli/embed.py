"""``sashiko embed MODEL IMAGE -o TABLE``: what the patches of an image are like."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Axes,
    Device,
    Image,
    Json,
    Level,
    RecipeFile,
    Seed,
    Set,
    absolute,
    collect,
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(embed)


def embed(
    model: Annotated[Path, typer.Argument(help="Model of sashiko explore.")],
    image: Image,
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.csv")],
    *,
    method: Annotated[
        str | None, typer.Option(help="Two coordinates by pca, tsne or umap.")
    ] = None,
    step: Annotated[int | None, typer.Option(help="Voxels between patches.")] = None,
    most: Annotated[int | None, typer.Option(help="Most patches.")] = None,
    device: Device = None,
    seed: Seed = None,
    axes: Axes = None,
    level: Level = 0,
    recipe: RecipeFile = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Write a table of patches, and say how many are like none of the training."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    given = {
        "method": method,
        "step": step,
        "most": most,
        "device": device,
        "seed": seed,
    }
    base = pipeline.read_recipe(recipe).embed if recipe else {}
    values = collect(given, more, base)
    volume = pipeline.open_image(image, axes=axes, level=level)
    with terminal() as shown:
        done = pipeline.embed(model, volume, out, report=shown.show, **values)
    facts = {
        "table": absolute(Path(done.path)),
        "patches": done.patches,
        "outside": done.outside,
        "chance": done.chance,
        "seconds": round(done.seconds, 3),
    }
    answer(facts, [f"Table: {done.path}", pipeline.outside_line(done)], as_json=json)
