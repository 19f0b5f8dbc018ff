"""Formats that need a further package."""

import importlib
from pathlib import Path
from typing import Any

from napari_sashiko.errors import VolumeError


def need(package: str, path: Path) -> Any:
    """Import a package that reads a format.

    Raises
    ------
    VolumeError
        If it is not installed; says how to install it.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise VolumeError(
            f"{path.name} needs the package {package}, which is not installed.",
            'Install it: pip install "napari-sashiko[formats]".',
        ) from error
