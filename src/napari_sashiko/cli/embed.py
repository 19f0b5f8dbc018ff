"""``sashiko embed MODEL IMAGE -o TABLE``: what the patches of an image are like."""

from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Axes,
    Device,
    ImageOrFolder,
    Json,
    Level,
    RecipeFile,
    Seed,
    Set,
    absolute,
    collect,
)
from napari_sashiko.cli._pictures import (
    check_all_there,
    facts_of_pictures,
    volume_or_folder,
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(embed)


def embed(
    model: Annotated[Path, typer.Argument(help="Model of sashiko explore.")],
    image: ImageOrFolder,
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.csv")],
    *,
    made: Annotated[
        Path | None,
        typer.Option(help="NAME.tif: the patches, made again of their numbers."),
    ] = None,
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
    """Write a table of patches, and say how many are like none of the training.

    A picture of a folder that cannot be read is left out and told of; the exit code is
    2 then.
    """
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
    volume = volume_or_folder(image, axes, level)
    with terminal() as shown:
        done = pipeline.embed(
            model, volume, out, made=made, report=shown.show, **values
        )
    facts = {
        "table": absolute(Path(done.path)),
        "patches": done.patches,
        "outside": done.outside,
        "chance": done.chance,
        "correlation": done.correlation if isfinite(done.correlation) else None,
        "seconds": round(done.seconds, 3),
        **facts_of_pictures(done),
    }
    lines = [
        f"Table: {done.path}",
        f"Correlation with what is made of their numbers: {done.correlation:.3f}",
        pipeline.outside_line(done),
    ]
    answer(facts, lines, as_json=json)
    check_all_there(done.pictures, dict(done.problems))
