"""One row for each object, in physical units."""

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_sashiko.errors import OutputError
from napari_sashiko.instances._moments import FloatArray, Moments
from napari_sashiko.instances._source import Source
from napari_sashiko.volumes import check_writable, remove_abandoned, written_file

if TYPE_CHECKING:
    import pandas as pd

AXES = ("z", "y", "x")
HEADER = b"label,class,voxels,"  # how every table begins


def make_table(
    source: Source, moments: Moments, axes: FloatArray, lengths: FloatArray
) -> "pd.DataFrame":
    """Measure the objects.

    Parameters
    ----------
    source : Source
        The prediction: class, voxel size, unit.
    moments : Moments
        Sums over voxels.
    axes : (N, 3) float64
        Main axes.
    lengths : (N,) float64
        Reach along them.

    Returns
    -------
    DataFrame
        ``label``, ``class``, ``voxels``; of an image with several frames ``frame``,
        counted from 0, and what counts slices counts from where the frame begins;
        ``volume`` in unit^3 (unit^2 for 2D images);
        ``centroid_*``, ``extent_*`` and ``length`` in units; ``bbox_*_start`` and
        ``bbox_*_stop`` in voxels; ``orientation_*``, a unit vector;
        ``mean_probability`` and ``mean_std``; ``touches_border``; ``unit``.
    """
    import pandas as pd  # noqa: PLC0415 - slow to load

    size = np.array(source.voxel_size)
    voxels, stack = moments.voxels[1:], source.stack
    frame = moments.low[1:, 0] // stack.depth
    before = np.outer(frame * stack.depth, (1, 0, 0))  # the slices of other frames
    low, high = moments.low[1:] - before, moments.high[1:] - before
    columns: dict[str, object] = {
        "label": np.arange(1, len(voxels) + 1),
        "class": source.class_name,
        "voxels": voxels,
    }
    columns |= {} if stack.frame is None else {"frame": frame}
    columns |= {"volume": voxels * np.prod(size[1:] if source.planar else size)}
    columns |= _by_axis("centroid_{}", (moments.centroids() - before) * size)
    columns |= _by_axis("bbox_{}_start", low)
    columns |= _by_axis("bbox_{}_stop", high)
    columns |= _by_axis("extent_{}", (high - low) * size)
    columns |= {"length": lengths}
    columns |= _by_axis("orientation_{}", axes)
    columns |= {
        "mean_probability": moments.mean[1:] / voxels,
        "mean_std": moments.std[1:] / voxels,
        "touches_border": _touches(source, frame, low, high),
        "unit": source.unit,
    }
    return pd.DataFrame(columns)


def check_table(path: Path, out: Path) -> None:
    """Refuse to write a table over something that is none, or where it would be lost.

    Parameters
    ----------
    path : Path
        CSV file to be written.
    out : Path
        Folder of the instances, which is replaced as a whole.

    Raises
    ------
    OutputError
        If there is something else, it lies in `out`, or it cannot be written.
    """
    if out == path or out in path.parents:
        raise OutputError(
            f"The table {path} would lie in the folder of the instances.",
            "Choose a place beside it.",
        )
    check_writable(path)
    try:
        with path.open("rb") as file:
            start = file.read(len(HEADER))
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(
            f"The table {path} cannot be written: {error.strerror or error}.",
            "Choose another file.",
        ) from error
    if start not in (b"", HEADER):
        raise OutputError(
            f"{path} exists and is not a table of objects.",
            "Choose another name; it is left as it is.",
        )


def write_table(table: "pd.DataFrame", path: Path) -> None:
    """Write CSV; the file appears complete or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        remove_abandoned(path.parent, path.name)
        with written_file(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            table.to_csv(text, index=False)
            text.detach()
    except OSError as error:
        raise OutputError(
            f"The table {path} cannot be written: {error.strerror or error}.",
            "Choose another file.",
        ) from error


def table_digest(path: Path) -> str:
    """Hash of a table's bytes (hexadecimal); empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _by_axis(pattern: str, values: np.ndarray) -> dict[str, object]:
    return {pattern.format(axis): values[:, i] for i, axis in enumerate(AXES)}


def _touches(
    source: Source, frame: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Objects at a face of their frame or picture: their size is a lower bound."""
    real = np.array(source.sides) > 1
    ends = np.broadcast_to(source.sides, high.shape)
    if source.extents is not None:
        ends = np.column_stack([ends[:, 0], source.extents[frame]])
    faces = (low == 0) | (high == ends)
    return np.asarray((faces & real).any(axis=1))
