"""``sashiko measure MODEL IMAGE -o FOLDER``: numbers with error bars."""

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_sashiko.cli._console import Bar, answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Axes,
    Border,
    BorderWeight,
    BoundaryClass,
    Connectivity,
    Device,
    Dust,
    Image,
    Json,
    LabelClass,
    Level,
    ModelFolder,
    RecipeFile,
    Runner,
    Scheduler,
    Set,
    Split,
    SplitDepth,
    SplitRadius,
    Window,
    Workers,
    absolute,
    class_of,
    collect,
    drop_left_over_boundary,
    splitting,
    where,
    windows,
)
from napari_sashiko.pipeline import Event, MemberStarted


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(measure)


def measure(
    model: ModelFolder,
    image: Image,
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="Folder for the tables.")],
    *,
    label_class: LabelClass = None,
    threshold: Annotated[
        float | None, typer.Option(help="A member's probability must be above it.")
    ] = None,
    dust: Dust = None,
    connectivity: Connectivity = None,
    split: Split = None,
    split_depth: SplitDepth = None,
    split_radius: SplitRadius = None,
    boundary_class: BoundaryClass = None,
    window: Window = None,
    border: Border = None,
    border_weight: BorderWeight = None,
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
    level: Level = 0,
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
        **splitting(split, split_depth, split_radius, boundary_class),
        **windows(window, border, border_weight),
        **where(runner, scheduler, workers),
        "device": device,
        "keep_maps": keep_maps or None,
        "overwrite": overwrite or None,
    }
    base = pipeline.recipe_values(pipeline.read_recipe(recipe)) if recipe else {}
    asked = collect(given, more, {})
    volume = pipeline.open_image(image, axes=axes, level=level)
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
