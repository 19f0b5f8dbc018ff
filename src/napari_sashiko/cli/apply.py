"""``sashiko apply MODEL FOLDER -o OUT``: segment or restore pictures of a folder."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import Bar, answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Device,
    Json,
    ModelFolder,
    Overwrite,
    RecipeFile,
    Runner,
    Scheduler,
    Set,
    Workers,
    absolute,
    collect,
    where,
)
from napari_sashiko.cli._pictures import check_all_there
from napari_sashiko.pipeline import Event, PictureDone


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(apply)


def apply(
    model: ModelFolder,
    folder: Annotated[
        Path, typer.Argument(help="Pictures of any sizes, or a folder with images/.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            *OUT_OPTION,
            help="Folder for NAME.png of each picture; NAME.tif of restored ones.",
        ),
    ],
    *,
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities", help="Of classes: also NAME-probabilities.tif."
        ),
    ] = False,
    runner: Runner = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    device: Device = None,
    overwrite: Overwrite = False,
    recipe: RecipeFile = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Segment or restore every picture of a folder; resumes where it stopped.

    A picture that cannot be read is left out and told of; the exit code is 2 then.
    One that has changed since is done again.
    """
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch when it predicts

    given = {
        "probabilities": probabilities or None,
        **where(runner, scheduler, workers),
        "device": device,
        "overwrite": overwrite or None,
    }
    base = pipeline.read_recipe(recipe).apply if recipe else {}
    values = collect(given, more, base)
    with terminal(_translate) as shown:
        done = pipeline.apply(model, folder, out, report=shown.show, **values)
    facts = {
        "results": absolute(out),
        "written": done.written,
        "kept": done.kept,
        "renewed": done.renewed,
        "problems": dict(done.problems),
        "seconds": round(done.seconds, 3),
        "settings": pipeline.ApplySettings(**values).model_dump(mode="json"),
    }
    lines = [
        f"Results: {out}",
        f"Pictures: {done.written} in {done.seconds:.1f} s, {done.kept} were there.",
    ]
    answer(facts, lines, as_json=json)
    check_all_there(done.written + done.kept, dict(done.problems))


def _translate(event: Event) -> Bar | str | None:
    if isinstance(event, PictureDone):
        return Bar("pictures", event.done, event.total)
    return None
