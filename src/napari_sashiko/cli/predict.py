"""``sashiko predict MODEL IMAGE -o OUT.zarr``: segment a whole volume."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import Bar, answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Axes,
    Border,
    BorderWeight,
    Device,
    Json,
    Level,
    RecipeFile,
    Runner,
    Scheduler,
    Set,
    Window,
    Workers,
    absolute,
    collect,
    where,
    windows,
)
from napari_sashiko.pipeline import CellDone, Event, PredictionStarted


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(predict)


def predict(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    image: Annotated[Path, typer.Argument(help="Volume, any readable format.")],
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.zarr")],
    *,
    window: Window = None,
    border: Border = None,
    border_weight: BorderWeight = None,
    runner: Runner = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    device: Device = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew where one exists.")
    ] = False,
    axes: Axes = None,
    level: Level = 0,
    recipe: RecipeFile = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Segment or restore a whole volume by a model; resumes where it stopped."""
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch when it predicts

    given = {
        **windows(window, border, border_weight),
        **where(runner, scheduler, workers),
        "device": device,
        "overwrite": overwrite or None,
    }
    base = pipeline.read_recipe(recipe).predict if recipe else {}
    values = collect(given, more, base)
    volume = pipeline.open_image(image, axes=axes, level=level)
    with terminal(_translate) as shown:
        done = pipeline.predict(model, volume, out, report=shown.show, **values)
    found = pipeline.open_result(out)
    classes = () if isinstance(found, pipeline.Restored) else found.classes
    facts = {
        "prediction": absolute(out),
        "seconds": round(done.seconds, 3),
        "blocks": found.total,
        "shape": list(found.stack.on_disk),
        "class_names": [each.name for each in classes],
        "settings": pipeline.PredictionSettings(**values).model_dump(mode="json"),
    }
    what = "Prediction" if classes else "Restored image"
    lines = [f"{what}: {out}", f"Blocks: {found.total}, in {done.seconds:.1f} s"]
    answer(facts, lines, as_json=json)


def _translate(event: Event) -> Bar | str | None:
    if isinstance(event, PredictionStarted):
        if event.done:
            return f"Going on: {event.done} of {event.cells} blocks were finished."
        return f"Blocks: {event.cells}."
    if isinstance(event, CellDone):
        return Bar("blocks", event.done, event.total)
    return None
