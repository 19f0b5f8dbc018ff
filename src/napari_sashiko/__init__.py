"""Paint a few strokes on a volume, train an ensemble, segment all of it."""

import importlib
import os
import sys
from typing import Any

if sys.platform == "darwin":  # before torch is loaded, which asks once
    # What Metal cannot do, fewer things with each version of torch, the CPU does.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

__all__ = [
    "__version__",
    "apply",
    "embed",
    "evaluate",
    "evaluate_folder",
    "evaluate_image",
    "explore",
    "export",
    "find_places",
    "measure",
    "open_image",
    "predict",
    "prediction_sets",
    "reconstruct",
    "report",
    "restore",
    "segment_instances",
    "train",
    "train_reconstruct",
]


def __getattr__(name: str) -> Any:
    # Importing the package must load neither torch nor napari: doors open on use.
    if name == "__version__":
        return _version()
    if name in __all__:
        return getattr(importlib.import_module("napari_sashiko.pipeline"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("napari-sashiko")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0.0.0"
