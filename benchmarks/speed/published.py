"""The published libraries, as far as they are installed.

    pip install --no-deps dlsia qlty

dlsia imports torchvision, of which it uses two functions that no benchmark needs:
an empty module stands in for it.
"""

import importlib
import sys
from types import ModuleType


def published(name):
    """Import a module of dlsia or qlty, or exit and say what to install."""
    for part in ("torchvision", "torchvision.transforms"):
        try:
            importlib.import_module(part)
        except ImportError:
            stub = ModuleType(part)
            stub.__getattr__ = _nothing
            sys.modules[part] = stub
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SystemExit(f"{error}. Try: pip install --no-deps dlsia qlty") from error


def _nothing(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return
