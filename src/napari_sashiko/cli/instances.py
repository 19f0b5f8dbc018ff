"""``sashiko instances OUT.zarr -o INST.zarr``: find and measure objects."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import Bar, answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    BoundaryClass,
    Connectivity,
    Dust,
    Json,
    LabelClass,
    RecipeFile,
    Runner,
    Scheduler,
    Set,
    Split,
    SplitDepth,
    SplitRadius,
    Workers,
    absolute,
    class_of,
    collect,
    drop_left_over_boundary,
    splitting,
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
    label_class: LabelClass = None,
    threshold: Annotated[
        float | None, typer.Option(help="Mean - k std must be above it.")
    ] = None,
    minus_std: Annotated[float | None, typer.Option(help="k.")] = None,
    dust: Dust = None,
    connectivity: Connectivity = None,
    split: Split = None,
    split_depth: SplitDepth = None,
    split_radius: SplitRadius = None,
    boundary_class: BoundaryClass = None,
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
        **splitting(split, split_depth, split_radius, boundary_class),
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
