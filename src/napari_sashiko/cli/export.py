"""``sashiko export RESULT -o FILE``: a result in the format of another program."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._options import OUT_OPTION, Json, Set, class_of, collect


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    source: Annotated[
        Path, typer.Argument(help="NAME.zarr of a prediction, instances or sets.")
    ],
    out: Annotated[Path, typer.Option(*OUT_OPTION, help="NAME.tif or NAME.mrc")],
    *,
    part: Annotated[
        str | None,
        typer.Option(help="Of a prediction: classes, mean or std."),
    ] = None,
    label_class: Annotated[
        str | None, typer.Option("--class", help="Class name or id, for mean and std.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
    more: Set = None,
    json: Json = False,
) -> None:
    """Write a result to a file of another program: TIFF or MRC."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    given = {
        "part": part,
        "label_class": class_of(label_class),
        "overwrite": overwrite or None,
    }
    values = collect(given, more, {})
    with terminal() as shown:
        done = pipeline.export(source, out, report=shown.show, **values)
    facts = {
        "file": done.path,
        "what": done.what,
        "bytes": done.bytes,
        "seconds": round(done.seconds, 3),
    }
    answer(facts, [f"{done.what}.", f"File: {out}"], as_json=json)
