"""``sashiko measure MODEL IMAGE -o FOLDER``: numbers with error bars."""

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_sashiko.cli._console import Bar, answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Axes,
    Device,
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
    triple,
    where,
)
from napari_sashiko.pipeline import Event, MemberStarted


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(measure)


def measure(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    image: Annotated[Path, typer.Argument(help="Volume, any readable format.")],
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="Folder for the tables.")],
    *,
    label_class: Annotated[
        str | None, typer.Option("--class", help="Class name or id of the objects.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="A member's probability must be above it.")
    ] = None,
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
    boundary_class: Annotated[
        str | None, typer.Option(help="Class between objects, for --split boundary.")
    ] = None,
    window: Annotated[
        str | None, typer.Option(help="Voxels: 128, or z,y,x as 32,128,128.")
    ] = None,
    border: Annotated[
        str | None, typer.Option(help="Voxels at inner faces not trusted: 8 or z,y,x.")
    ] = None,
    border_weight: Annotated[
        float | None, typer.Option(help="0 crops the border, above 0 blends.")
    ] = None,
    runner: Runner = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    device: Device = None,
    keep_maps: Annotated[
        bool,
        typer.Option("--keep-maps", help="Keep each member's map, to measure again."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Forget what a stopped run left.")
    ] = False,
    axes: Axes = None,
    recipe: RecipeFile = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Measure fractions, objects and sizes, with the spread over the members."""
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch when it predicts

    given = {
        "label_class": class_of(label_class),
        "threshold": threshold,
        "dust": dust,
        "connectivity": connectivity,
        "split": split,
        "split_depth": split_depth,
        "boundary_class": class_of(boundary_class),
        "window": triple(window, "window"),
        "border": triple(border, "border"),
        "border_weight": border_weight,
        **where(runner, scheduler, workers),
        "device": device,
        "keep_maps": keep_maps or None,
        "overwrite": overwrite or None,
    }
    base = pipeline.recipe_values(pipeline.read_recipe(recipe)) if recipe else {}
    asked = collect(given, more, {})
    volume = pipeline.open_image(image, axes=axes)
    with terminal(_translate) as shown:
        values = drop_left_over_boundary(asked, base, shown)
        measured = pipeline.measure(model, volume, out, report=shown.show, **values)
    facts = {
        "measurements": absolute(out),
        "class": measured.label_class.name,
        "members": len(measured.members),
        "effective_members": round(measured.effective_members, 3),
        "count": _spread(measured.count),
        "fractions": {
            each.name: _spread(measured.fraction(each.id)) for each in measured.classes
        },
        "median": {
            name: {
                **_spread(measured.size(name)),
                "unit": measured.unit_of(name),
            }
            for name in ("volume", "diameter", "length")
        },
        "settings": pipeline.MeasureSettings(**values).model_dump(mode="json"),
    }
    answer(facts, [*pipeline.lines_of(measured), f"Tables: {out}"], as_json=json)


def _spread(spread: Any) -> dict[str, float | None]:
    return {"mean": spread.mean, "std": spread.std}


def _translate(event: Event) -> Bar | str | None:
    if isinstance(event, MemberStarted):
        return (
            f"Member {event.number} of {event.members}: {event.kind}, "
            f"weight {event.weight:.3g}."
        )
    return None
