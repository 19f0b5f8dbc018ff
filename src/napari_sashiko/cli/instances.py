"""``sashiko instances OUT.zarr -o INST.zarr``: find and measure objects."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import Bar, answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Json,
    RecipeFile,
    Runner,
    Scheduler,
    Set,
    Workers,
    absolute,
    class_of,
    collect,
    drop_left_over_boundary,
    where,
)
from napari_sashiko.pipeline import ComponentsFound, Event


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(instances)


def instances(
    prediction: Annotated[Path, typer.Argument(help="NAME.zarr of a prediction.")],
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.zarr for the labels.")],
    *,
    label_class: Annotated[
        str | None, typer.Option("--class", help="Class name or id.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Mean - k std must be above it.")
    ] = None,
    minus_std: Annotated[float | None, typer.Option(help="k.")] = None,
    dust: Annotated[
        str | None, typer.Option(help="Smallest object kept: 100 or 100um^3.")
    ] = None,
    connectivity: Annotated[int | None, typer.Option(help="6, 18 or 26.")] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Cut touching objects apart: no, distance or boundary."),
    ] = None,
    split_depth: Annotated[
        float | None,
        typer.Option(help="Least narrowing, as a share of the width; less cuts more."),
    ] = None,
    split_radius: Annotated[
        int | None,
        typer.Option(help="Voxels into an object up to which its shape is looked at."),
    ] = None,
    boundary_class: Annotated[
        str | None, typer.Option(help="Class between objects, for --split boundary.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV file of measurements.")
    ] = None,
    runner: Runner = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    recipe: RecipeFile = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Find the objects of one class, remove dust, measure the rest."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    given = {
        "label_class": class_of(label_class),
        "threshold": threshold,
        "minus_std": minus_std,
        "dust": dust,
        "connectivity": connectivity,
        "split": split,
        "split_depth": split_depth,
        "split_radius": split_radius,
        "boundary_class": class_of(boundary_class),
        **where(runner, scheduler, workers),
    }
    base = pipeline.read_recipe(recipe).instances if recipe else {}
    asked = collect(given, more, {})
    with terminal(_translate) as shown:
        values = drop_left_over_boundary(asked, base, shown)
        done = pipeline.segment_instances(
            prediction, out, table=table, report=shown.show, **values
        )
    facts = {
        "instances": absolute(out),
        "table": done.table,
        "count": done.count,
        "removed": done.removed,
        "seconds": round(done.seconds, 3),
        "settings": pipeline.InstanceSettings(**values).model_dump(mode="json"),
    }
    lines = [
        f"{done.count} objects, {done.removed} removed as dust",
        f"Instances: {out}",
        *([f"Table: {table}"] if table else []),
    ]
    answer(facts, lines, as_json=json)


def _translate(event: Event) -> Bar | str | None:
    if isinstance(event, ComponentsFound):
        return f"{event.count} objects of {event.class_name!r} before dusting."
    return None
