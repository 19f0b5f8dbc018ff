"""The step that compares restored pictures of a folder with clean ones."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import VolumeError
from napari_sashiko.metrics import ImageErrors, StructuralSimilarity
from napari_sashiko.pipeline.compared import (
    TABLE,
    FolderCompared,
    Row,
    compare_each,
    table_of,
    tell_idle,
)
from napari_sashiko.pipeline.folder_images import place_of_clean
from napari_sashiko.pipeline.folder_pictures import by_stem, pixels
from napari_sashiko.pipeline.folder_results import (
    RESTORED,
    FolderResults,
    write_result,
)
from napari_sashiko.runners import Event
from napari_sashiko.volumes import (
    IMAGES,
    PARTS,
    as_channels,
    find_pictures,
    pictures_in,
    read_picture,
)

MEAN = "mean"  # over pictures
SCORES = (
    *("pearson", "psnr", "ssim"),
    *("mean_absolute_error", "root_mean_square_error"),
)
DIGITS = 6  # that count: errors in grey values may be of any size


def compare_restored(results: FolderResults, clean: Path, out: Path) -> Iterator[Event]:
    """Compare restored pictures with clean ones of the same names.

    Parameters
    ----------
    results : FolderResults
        Of a model that restores.
    clean : Path
        The clean pictures; or a folder with these in ``images``, or in the part that
        the pictures were of.
    out : Path
        Folder for the table.

    Yields
    ------
    Progress, Message, FolderCompared

    Raises
    ------
    VolumeError
        If no result has a clean picture.
    OutputError
        If the table cannot be written.
    """
    start = time.perf_counter()
    truths = _clean_pictures(results, clean)
    files = [file for file in pictures_in(results.path) if file.suffix == RESTORED]
    names = {file.stem for file in files}
    idle = [truth for name, truth in truths.items() if name not in names]
    yield from tell_idle(idle, "clean")
    rows: list[Row] = []
    problems = yield from compare_each(
        files, lambda file: rows.append(_compared(file, truths.get(file.stem)))
    )
    if not rows:
        raise VolumeError(
            f"None of the {len(files)} results in {results.path} could be compared.",
            problems[0][1] if problems else "Apply the model to pictures first.",
        )
    mean = _mean(rows)
    write_result(out / TABLE, table_of([*rows, mean], _rounded))
    seconds = time.perf_counter() - start
    table = str(out / TABLE)
    yield FolderCompared(table, "", (mean,), len(rows), problems, seconds)


def _clean_pictures(results: FolderResults, clean: Path) -> dict[str, Path]:
    """Clean pictures by name without ending."""
    images = results.images
    part = images.parent.name if images.name == IMAGES else ""
    place = place_of_clean(clean, part if part in PARTS else "")
    found = find_pictures(place)
    if found[0].parent.resolve() == images.resolve():
        raise VolumeError(
            f"{images} holds the pictures that were restored.",
            "Choose a folder of clean pictures of the same names.",
        )
    return by_stem(found)


def _compared(file: Path, truth: Path | None) -> Row:
    """Scores of one picture."""
    if truth is None:
        raise VolumeError("it has no clean picture.")
    made = _channels_first(read_picture(file))
    clean = _channels_first(_read_clean(truth, len(made)))
    if clean.shape != made.shape:
        sizes = pixels(made.shape[1:]), pixels(clean.shape[1:])
        raise VolumeError("it has {} pixels, its clean picture has {}.".format(*sizes))
    return _row(file.stem, made, clean)


def _read_clean(truth: Path, channels: int) -> NDArray[Any]:
    try:
        return as_channels(read_picture(truth), channels, truth.name)
    except VolumeError as error:
        raise VolumeError(
            f"it has a clean picture that cannot be used. {error.what}", error.instead
        ) from error


def _channels_first(picture: NDArray[Any]) -> NDArray[Any]:
    """Turn ``(Y, X)`` or ``(Y, X, C)`` into ``(C, Y, X)``."""
    return picture[None] if picture.ndim == 2 else np.moveaxis(picture, -1, 0)


def _row(name: str, made: NDArray[Any], clean: NDArray[Any]) -> Row:
    """Scores of a picture ``(C, Y, X)``; the data range is that of the clean one."""
    errors = ImageErrors()
    errors.update(made, clean)
    found = errors.compute()
    known: dict[str, float | int | None] = found.record() | {"ssim": None}
    if found.voxels and found.data_range > 0:
        similarity = StructuralSimilarity(found.data_range, dims=2)
        similarity.update(made, clean)
        known |= similarity.compute().record()
    row: Row = {"picture": name, "pixels": found.voxels // len(made)}
    return row | {score: known[score] for score in SCORES}


def _mean(rows: Sequence[Row]) -> Row:
    """Mean over the pictures that have a score; None where none has it."""
    total = sum(int(row["pixels"] or 0) for row in rows)
    row: Row = {"picture": MEAN, "pixels": total}
    for score in SCORES:
        known = [float(row[score] or 0) for row in rows if row[score] is not None]
        row[score] = sum(known) / len(known) if known else None
    return row


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
