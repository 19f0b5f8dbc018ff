"""A finished prediction, read by blocks of whole chunks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.prediction._ledger import Ledger
from napari_sashiko.prediction.predictor import Triple
from napari_sashiko.prediction.store import PREDICTION, record_of
from napari_sashiko.volumes import Region, Slices, spans

VOXELS = 1 << 21


def finished_record(path: Path, *kinds: str) -> dict[str, Any]:
    """Read what a prediction says about itself.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    *kinds : str
        What it may be; a prediction when left out.

    Raises
    ------
    OutputError
        If there is none, or it is damaged, of a newer version, of another kind, or
        not finished.
    """
    record = record_of(path, *(kinds or (PREDICTION,)))
    finished = Ledger(path).finished()
    if not finished.all():
        raise OutputError(
            f"Only {int(finished.sum())} of {finished.size} blocks of {path} are "
            "predicted.",
            "Start the prediction again: it goes on where it stopped.",
        )
    return record


def open_image(path: Path, name: str) -> Slices:
    """Open one image of a result, seen as slices: ``([C,] Z, Y, X)``."""
    return Slices(zarr.open_array(str(path / name / "0"), mode="r"))


def chunk_of(image: Slices) -> Triple:
    """Chunk of an image on disk, (z, y, x)."""
    return triple((image.chunks or image.shape)[-3:])


def chunk_blocks(
    shape: Triple, chunk: Triple, frame: int | None = None
) -> Iterator[Region]:
    """Blocks of whole chunks, each of about `VOXELS` or one chunk.

    Parameters
    ----------
    shape : (int, int, int)
        Volume, in voxels.
    chunk : (int, int, int)
        Of the probabilities, in voxels.
    frame : int, optional
        Slices of a frame: no block lies in two, as no chunk does.
    """
    z, y, x = chunk
    width = max(1, min(-(-shape[2] // x), VOXELS // (z * y * x))) * x
    for deep in spans(shape[0], z, frame):
        for down in spans(shape[1], y):
            for along in spans(shape[2], width):
                yield slice(*deep), slice(*down), slice(*along)


def triple(values: Any) -> Triple:
    """Three sizes of a record, as whole numbers."""
    z, y, x = values
    return int(z), int(y), int(x)
