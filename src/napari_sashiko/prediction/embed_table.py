"""The table of an image's patches: where they are, what they are like."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import OutputError
from napari_sashiko.volumes import write_file

HEADS = ("z", "y", "x", "edge", "u", "v", "error", "distance", "outside")


@dataclass(frozen=True, eq=False)
class Embedding:
    """Patches of an image, one a row.

    Attributes
    ----------
    places : numpy.ndarray
        ``(N, 3)`` int: first voxel (z, y, x) of each patch.
    edge : int
        Voxels of a patch along y and x.
    points : numpy.ndarray
        ``(N, 2)`` float32: the two coordinates.
    errors, distances, outside : numpy.ndarray
        ``(N,)`` float32, see `Seen` and `Explorer.outside`; above 1 a patch lies
        outside of what the model was trained on.
    latents : numpy.ndarray
        ``(N, latent)`` float32.
    """

    places: NDArray[np.int64]
    edge: int
    points: NDArray[np.float32]
    errors: NDArray[np.float32]
    distances: NDArray[np.float32]
    outside: NDArray[np.float32]
    latents: NDArray[np.float32]


def write_embedding(path: Path, found: Embedding) -> None:
    """Write the table as CSV, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*HEADS, *(f"latent_{n}" for n in range(found.latents.shape[1]))])
    numbers = np.column_stack(
        [found.points, found.errors, found.distances, found.outside, found.latents]
    )
    for place, row in zip(found.places.tolist(), numbers.tolist(), strict=True):
        writer.writerow([*place, found.edge, *(f"{value:.6g}" for value in row)])
    try:
        write_file(path, text.getvalue())
    except OSError as error:
        raise OutputError(
            f"The table {path} cannot be written: {error.strerror or error}.",
            "Choose another place.",
        ) from error


def read_embedding(path: Path | str) -> Embedding:
    """Read a table of patches.

    Raises
    ------
    OutputError
        If it cannot be read, or is another table.
    """
    path = Path(path)
    try:
        table = _numbers(path)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"{path} is no table of patches: {error}.", "Write it: sashiko embed."
        ) from error
    values = table.astype(np.float32)
    return Embedding(
        places=table[:, :3].astype(np.int64),
        edge=int(table[0, 3]),
        points=values[:, 4:6],
        errors=values[:, 6],
        distances=values[:, 7],
        outside=values[:, 8],
        latents=values[:, 9:],
    )


def _numbers(path: Path) -> NDArray[np.float64]:
    with path.open(encoding="utf-8", newline="") as file:
        heads = next(csv.reader(file), [])
        if tuple(heads[: len(HEADS)]) != HEADS:
            raise ValueError("its columns are others")
        rows = [[float(cell) for cell in row] for row in csv.reader(file)]
    if not rows or {len(row) for row in rows} != {len(heads)}:
        raise ValueError("it has no rows, or some are of another length")
    return np.array(rows, np.float64)
