"""``sashiko predict MODEL IMAGE -o OUT.zarr``: segment a whole volume."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._blocks import blocks
from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Axes,
    Border,
    BorderWeight,
    Device,
    ImageOrFolder,
    Json,
    Level,
    ModelFolder,
    Overwrite,
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
from napari_sashiko.cli._pictures import (
    check_all_there,
    facts_of_pictures,
    volume_or_folder,
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(predict)


def predict(
    model: ModelFolder,
    image: ImageOrFolder,
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.zarr")],
    *,
    window: Window = None,
    border: Border = None,
    border_weight: BorderWeight = None,
    runner: Runner = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    device: Device = None,
    overwrite: Overwrite = False,
    axes: Axes = None,
    level: Level = 0,
    recipe: RecipeFile = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Segment or restore a whole volume by a model; resumes where it stopped.

    A picture of a folder that cannot be read is left out and told of; the exit code is
    2 then.
    """
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch when it predicts

    given = {
        **windows(window, border, border_weight),
        **where(runner, scheduler, workers),
        "device": device,
        "overwrite": overwrite or None,
    }
    base = pipeline.read_recipe(recipe).predict if recipe else {}
    values = collect(given, more, base)
    volume = volume_or_folder(image, axes, level)
    with terminal(blocks) as shown:
        done = pipeline.predict(model, volume, out, report=shown.show, **values)
    found = pipeline.open_result(out)
    classes = found.classes if isinstance(found, pipeline.Prediction) else ()
    facts = {
        "prediction": absolute(out),
        "seconds": round(done.seconds, 3),
        "blocks": found.total,
        "shape": list(found.shape),
        "class_names": [each.name for each in classes],
        **facts_of_pictures(done),
        "settings": pipeline.PredictionSettings(**values).model_dump(mode="json"),
    }
    what = "Prediction" if classes else "Restored image"
    lines = [f"{what}: {out}", f"Blocks: {found.total}, in {done.seconds:.1f} s"]
    answer(facts, lines, as_json=json)
    check_all_there(done.pictures, dict(done.problems))
