"""``sashiko sample NAME FOLDER``: write a sample volume."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sashiko.cli._console import Bar, answer, terminal
from napari_sashiko.cli._options import Json, absolute

# As in the registry, which is slow to import; a test compares them.
NAMES = (
    "dendrites",
    "fibres",
    "filaments",
    "micrographs",
    "moving-nuclei",
    "noisy",
    "nuclei",
    "scattering",
    "shapes",
    "sinograms",
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sample)


def sample(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.")],
    folder: Annotated[Path, typer.Argument(help="Where to write; made if missing.")],
    *,
    json: Json = False,
) -> None:
    """Write a sample: an image, and strokes, truth or target where there are any."""
    from napari_sashiko import pipeline  # noqa: PLC0415

    pipeline.check_sample_folder(folder)
    with terminal() as shown:

        def report(done: int, total: int) -> None:
            shown.advance(Bar(f"making {name}", done, total))

        made = pipeline.load_sample(name, report=report)
        files = pipeline.write_sample(made, folder)
    written = {key: absolute(path) for key, path in files.items()}
    facts = {
        "sample": made.name,
        **written,
        "shape": list(made.image.shape),
        "voxel_size": list(made.voxel_size),
        "unit": made.unit,
        "class_names": [each.name for each in made.classes],
    }
    lines = [made.title, made.source, *(f"{key}: {p}" for key, p in written.items())]
    answer(facts, lines, as_json=json)
