"""``sashiko sets OUT.zarr -o SETS.zarr``: which voxels may have several classes."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Json,
    RecipeFile,
    Runner,
    Scheduler,
    Set,
    Workers,
    absolute,
    collect,
    where,
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sets)


def sets(
    prediction: Annotated[Path, typer.Argument(help="NAME.zarr of a prediction.")],
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.zarr for the sizes.")],
    *,
    coverage: Annotated[
        float | None,
        typer.Option(help="Share of sets that shall hold the true class: 0.9."),
    ] = None,
    runner: Runner = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    recipe: RecipeFile = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Write how many classes each voxel may have, as held-out strokes say."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    given = {
        "coverage": coverage,
        **where(runner, scheduler, workers),
    }
    values = collect(given, more, pipeline.read_recipe(recipe).sets if recipe else {})
    with terminal() as shown:
        done = pipeline.prediction_sets(prediction, out, report=shown.show, **values)
    total = sum(done.voxels)
    facts = {
        "sets": absolute(out),
        "coverage": done.coverage,
        "least": done.least,
        "reached": done.reached,
        "voxels": done.voxels,
        "mean_size": sum(n * each for n, each in enumerate(done.voxels)) / total,
        "seconds": round(done.seconds, 3),
    }
    lines = [
        f"A class is in a set from a probability of {done.least:.3g} on.",
        *_reached(done.reached),
        *(
            f"{n} {'class' if n == 1 else 'classes'}: {100 * each / total:.1f} %"
            for n, each in enumerate(done.voxels)
        ),
        f"Sets: {out}",
    ]
    answer(facts, lines, as_json=json)


def _reached(reached: float | None) -> list[str]:
    if reached is None:
        return []
    words = f"{100 * reached:.0f} % of the sets that the other strokes calibrate"
    return [f"Held-out strokes: {words} hold the true class."]
