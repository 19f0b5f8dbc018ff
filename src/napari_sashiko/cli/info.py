"""``sashiko info PATH``: what a path is, in words."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer
from napari_sashiko.cli._options import Axes, Json, Level, absolute


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(info)


def info(
    path: Annotated[Path, typer.Argument(help="Model, prediction, project, image.")],
    *,
    axes: Axes = None,
    level: Level = 0,
    json: Json = False,
) -> None:
    """Say what a model, prediction, project or image is."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    found = pipeline.describe(path, axes=axes, level=level)
    facts = {"path": absolute(path), "kind": found.kind, **found.facts}
    answer(facts, list(found.lines), as_json=json)
