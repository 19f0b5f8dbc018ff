"""``sashiko report PATH``: one page about a project, model or prediction."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer, terminal
from napari_sashiko.cli._options import (
    OUT_OPTION,
    Json,
    Set,
    absolute,
    collect,
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    path: Annotated[
        Path, typer.Argument(help="Project, model, prediction or instances.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            *OUT_OPTION,
            help="Page NAME.html, or folder of figures; in a project: its plots/.",
        ),
    ] = None,
    *,
    kind: Annotated[
        str | None,
        typer.Option("--format", help="html: one page; png, pdf: single figures."),
    ] = None,
    figures: Annotated[
        str | None, typer.Option(help="Names, parted by commas; all when left out.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="The image.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Sparse labels.")] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Class ids to compare the prediction with.")
    ] = None,
    ignore: Annotated[
        Path | None, typer.Option(help="Voxels not 0 here are not compared.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Model, where it is not found.")
    ] = None,
    prediction: Annotated[
        Path | None, typer.Option(help="Prediction, where it is not the newest.")
    ] = None,
    instances: Annotated[
        Path | None, typer.Option(help="Instances, where they are not found.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV of objects, where it is not found.")
    ] = None,
    measurements: Annotated[
        Path | None, typer.Option(help="Numbers with error bars, likewise.")
    ] = None,
    label_class: Annotated[
        str | None, typer.Option("--class", help="Class of the map of directions.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Where blocks are looked at.")
    ] = None,
    more: Set = None,
    json: Json = False,
) -> None:
    """Write a page with data, model, scores, figures and origin, or single figures."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    chosen = {
        "format": kind,
        "figures": _names(figures),
        "label_class": label_class,
        "seed": seed,
    }
    places = {
        "image": image,
        "labels": labels,
        "truth": truth,
        "ignore": ignore,
        "model": model,
        "prediction": prediction,
        "instances": instances,
        "table": table,
        "measurements": measurements,
    }
    given = {name: place for name, place in places.items() if place is not None}
    values = collect(chosen, more, {})
    with terminal() as shown:
        done = pipeline.report(path, out, report=shown.show, **given, **values)
    facts = {
        "report": absolute(Path(done.path)),
        "figures": list(done.figures),
        "missing": dict(done.missing),
        "seconds": round(done.seconds, 3),
    }
    lines = [
        f"Figures: {', '.join(done.figures) or 'none'}",
        *(f"Not drawn: {name}" for name, _ in done.missing),
        f"Report: {done.path}",
    ]
    answer(facts, lines, as_json=json)


def _names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(name.strip() for name in text.split(",") if name.strip())
