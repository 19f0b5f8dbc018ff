"""Patches as they are made again of their numbers, a page each of a TIFF."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_sashiko.errors import OutputError
from napari_sashiko.volumes import Normalisation, check_writable, written_file

Keep = Callable[[NDArray[np.float32]], None]


@contextlib.contextmanager
def keeping_made(path: Path | None, normalisation: Normalisation) -> Iterator[Keep]:
    """Give what appends patches to a file, which appears when all went well.

    Parameters
    ----------
    path : Path or None
        ``NAME.tif``; None keeps nothing.
    normalisation : Normalisation
        Turns patches into grey values.

    Yields
    ------
    callable
        Takes patches, ``(B, C, edge, edge)`` float32, normalised. A page is a channel
        of a patch.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    if path is None:
        yield _keep_nothing
        return
    check_writable(path)
    try:
        with written_file(path) as file, tifffile.TiffWriter(file, bigtiff=True) as out:

            def keep(patches: NDArray[np.float32]) -> None:
                for patch in patches:
                    grey = normalisation.undo(patch.copy()[:, np.newaxis])
                    for page in grey[:, 0]:
                        out.write(page, contiguous=True, photometric="minisblack")

            yield keep
    except OSError as error:
        raise OutputError(
            f"The patches {path} cannot be written: {error.strerror or error}.",
            "Choose another place.",
        ) from error


def _keep_nothing(patches: NDArray[np.float32]) -> None:
    del patches
