"""Libraries that only the export of models needs, imported when it is asked for."""

import importlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_sashiko.errors import OutputError


def need(package: str, extra: str) -> Any:
    """Import a package of an extra.

    Raises
    ------
    OutputError
        If it is not installed; says how to install it.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise OutputError(
            f"This export needs the package {package}, which is not installed.",
            f'Install it: pip install "napari-sashiko[{extra}]".',
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what an exporter tells its developers from users."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
