"""``sashiko mend PATH``: use what is whole of a damaged project, model, prediction."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import answer
from napari_sashiko.cli._options import Json, absolute


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(mend)


def mend(
    path: Annotated[Path, typer.Argument(help="Project, model, prediction, paint.")],
    *,
    json: Json = False,
) -> None:
    """Mend what is damaged, say what it was; damaged files are kept as *.damaged."""
    from napari_sashiko import pipeline  # noqa: PLC0415 - loads torch for models

    steps = pipeline.mend_steps(path)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: tuple[str, ...] = end.value
            break
    facts = {"path": absolute(path), "damaged": list(found)}
    answer(facts, list(found) or ["Nothing is damaged."], as_json=json)
