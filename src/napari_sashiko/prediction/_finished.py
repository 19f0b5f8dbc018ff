"""A finished prediction, read by blocks of whole chunks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_sashiko.errors import OutputError
from napari_sashiko.prediction._ledger import Ledger
from napari_sashiko.prediction.predictor import Triple
from napari_sashiko.prediction.store import PREDICTION, record_of
from napari_sashiko.volumes import Region

VOXELS = 1 << 21


def finished_record(path: Path, kind: str = PREDICTION) -> dict[str, Any]:
    """Read what a prediction says about itself.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    kind : str
        What it must be: `PREDICTION` or `RESTORED`.

    Raises
    ------
    OutputError
        If there is none, or it is damaged, of a newer version, of another kind, or
        not finished.
    """
    record = record_of(path, kind)
    finished = Ledger(path).finished()
    if not finished.all():
        raise OutputError(
            f"Only {int(finished.sum())} of {finished.size} blocks of {path} are "
            "predicted.",
            "Start the prediction again: it goes on where it stopped.",
        )
    return record


def chunk_blocks(shape: Triple, chunks: Any, *, flat: bool) -> Iterator[Region]:
    """Blocks of whole chunks, each of about `VOXELS` or one chunk.

    Parameters
    ----------
    shape : (int, int, int)
        Volume, in voxels.
    chunks : tuple of int
        Of the probabilities, (class, [z,] y, x).
    flat : bool
        Whether the arrays have no z axis.
    """
    y, x = chunks[-2:]
    z = 1 if flat else chunks[1]
    width = max(1, min(-(-shape[2] // x), VOXELS // (z * y * x))) * x
    for i in range(0, shape[0], z):
        for j in range(0, shape[1], y):
            for k in range(0, shape[2], width):
                stops = zip((i + z, j + y, k + width), shape, strict=True)
                ends = [min(stop, n) for stop, n in stops]
                yield slice(i, ends[0]), slice(j, ends[1]), slice(k, ends[2])


def triple(values: Any) -> Triple:
    """Three sizes of a record, as whole numbers."""
    z, y, x = values
    return int(z), int(y), int(x)
