"""``sashiko export PATH -o FILE``: a result or a model for another program."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._options import OUT_OPTION, Json, Part, Set, class_of, collect


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    source: Annotated[
        Path,
        typer.Argument(help="NAME.zarr of a prediction, instances or sets; a model."),
    ],
    out: Annotated[
        Path,
        typer.Option(*OUT_OPTION, help="NAME.tif, NAME.mrc, NAME.onnx or NAME.zip."),
    ],
    *,
    part: Part = None,
    label_class: Annotated[
        str | None, typer.Option("--class", help="Class name or id, for mean and std.")
    ] = None,
    channel: Annotated[
        int | None,
        typer.Option(
            min=1, help="Of a restored image with several: which one, from 1."
        ),
    ] = None,
    author: Annotated[
        list[str] | None,
        typer.Option(help="Who made a model, for NAME.zip; may be repeated."),
    ] = None,
    license_id: Annotated[
        str | None,
        typer.Option("--license", help="Of a model, for NAME.zip: CC-BY-4.0."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
    more: Set = None,
    json: Json = False,
) -> None:
    """Write a result as TIFF or MRC, a model as ONNX or for bioimage.io."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    given = {
        "part": part,
        "label_class": class_of(label_class),
        "channel": channel,
        "authors": author or None,
        "license": license_id,
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
