"""The published libraries, as far as they are installed.

    pip install --no-deps dlsia qlty && pip install plotly

dlsia imports torchvision, of which it uses two functions that no benchmark needs:
empty modules stand in for it.
"""

import importlib
import sys
from types import ModuleType

STUBS = {
    "torchvision.transforms.functional": (),
    "torchvision.transforms": ("functional",),
    "torchvision.utils": ("save_image",),
    "torchvision": ("transforms", "utils"),
}


def published(name):
    """Import a module of dlsia or qlty, or exit and say what to install."""
    try:
        importlib.import_module("torchvision")
    except ImportError:
        for part, names in STUBS.items():
            stub = ModuleType(part)
            for each in names:
                setattr(stub, each, sys.modules.get(f"{part}.{each}"))
            sys.modules[part] = stub
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SystemExit(
            f"{error}. Try: pip install --no-deps dlsia qlty; pip install plotly"
        ) from error
