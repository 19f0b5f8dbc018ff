"""Paint a few strokes on a volume, train an ensemble, segment all of it."""

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("napari-sashiko")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__", "evaluate", "predict", "segment_instances", "train"]


def __getattr__(name: str) -> Any:
    # Importing the package must load neither torch nor napari: doors open on use.
    if name in __all__:
        return getattr(importlib.import_module("napari_sashiko.pipeline"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
